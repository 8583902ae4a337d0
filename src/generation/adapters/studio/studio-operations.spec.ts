import { describe, expect, it } from '@jest/globals';
import { sharp } from '../../../assets/adapters/libvips.js';
import { DIGITAL_SOURCE_TYPES } from '../../../provenance/domain/manifest-plan.js';
import { largestArea } from './crop.js';
import { STUDIO_OPERATION_NAMES, STUDIO_OPERATIONS } from './studio-operations.js';

/** A red disc with shading on transparency, 120 x 80. */
function disc(): Promise<Buffer> {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="120" height="80"><defs><radialGradient id="g" cx="0.4" cy="0.35">
    <stop offset="0" stop-color="#e06a5a"/><stop offset="1" stop-color="#8a1c14"/></radialGradient></defs>
    <circle cx="60" cy="40" r="34" fill="url(#g)"/><rect x="50" y="36" width="20" height="8" fill="#ffffff"/></svg>`;
  return sharp(Buffer.from(svg)).png().toBuffer();
}

async function pixel(bytes: Buffer, x: number, y: number): Promise<number[]> {
  const { data, info } = await sharp(bytes).ensureAlpha().raw().toBuffer({ resolveWithObject: true });
  return [...data.subarray((y * info.width + x) * 4, (y * info.width + x) * 4 + 4)];
}

const SAMPLES: Record<string, Record<string, unknown>> = {
  'render-scene': { width: 256, height: 256 },
  'cut-out': {},
  upscale: { factor: 3 },
  recolor: { targetColor: '#2c6e8f' },
  crop: { aspect: '1:1' },
  convert: { format: 'webp', quality: 70 },
};

describe('studio operations', () => {
  it.each(STUDIO_OPERATION_NAMES)(
    '%s is deterministic, strips metadata and refuses unknown parameters',
    async (name) => {
      const operation = STUDIO_OPERATIONS[name];
      const image = await sharp(await disc())
        .withExif({ IFD0: { Artist: 'Somebody' } })
        .png()
        .toBuffer();
      const [first, second] = [
        await operation.run(SAMPLES[name], image),
        await operation.run(SAMPLES[name], image),
      ];
      expect(first.bytes.equals(second.bytes)).toBe(true);
      const header = await sharp(first.bytes).metadata();
      expect(header).toMatchObject({ width: first.width, height: first.height, space: 'srgb' });
      expect([header.exif, header.xmp, header.iptc]).toEqual([undefined, undefined, undefined]);
      await expect(operation.run({ ...SAMPLES[name], surprise: 1 }, image)).rejects.toMatchObject({
        code: 'invalid_request',
      });
    },
  );

  it('names an action, a source type where the action has one, and a model listing', () => {
    const facts = Object.values(STUDIO_OPERATIONS).map((o) => [
      o.name,
      o.action,
      o.digitalSourceType && DIGITAL_SOURCE_TYPES[o.digitalSourceType].split('/').pop(),
      o.listingId,
    ]);
    expect(facts).toEqual([
      ['render-scene', 'c2pa.created', 'algorithmicMedia', 'studio-scene@studio'],
      ['cut-out', 'c2pa.edited', 'algorithmicallyEnhanced', 'studio-cut-out@studio'],
      ['upscale', 'c2pa.resized.proportional', undefined, 'studio-upscale@studio'],
      ['recolor', 'c2pa.adjustedColor', 'algorithmicallyEnhanced', 'studio-recolor@studio'],
      ['crop', 'c2pa.cropped', 'algorithmicallyEnhanced', 'studio-crop@studio'],
      ['convert', 'c2pa.transcoded', undefined, 'studio-convert@studio'],
    ]);
  });

  it('asks for an image where one is needed', async () => {
    for (const operation of Object.values(STUDIO_OPERATIONS).filter((o) => o.needsImage)) {
      await expect(operation.run(SAMPLES[operation.name])).rejects.toMatchObject({ code: 'invalid_request' });
    }
  });

  it('never hands SVG, text or half a picture to an operation', async () => {
    const png = await disc();
    const hostile: [Buffer, string][] = [
      [Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'), 'unsupported_media'],
      [Buffer.from('no picture'), 'unsupported_media'],
      [png.subarray(0, png.length >> 1), 'media_corrupt'],
    ];
    for (const [bytes, code] of hostile) {
      for (const name of STUDIO_OPERATION_NAMES.filter((n) => n !== 'render-scene')) {
        await expect(STUDIO_OPERATIONS[name].run(SAMPLES[name], bytes)).rejects.toMatchObject({ code });
      }
    }
  });
});

describe('upscale', () => {
  it('multiplies both sides and keeps alpha', async () => {
    const result = await STUDIO_OPERATIONS.upscale.run({ factor: 4 }, await disc());
    expect(result).toMatchObject({ width: 480, height: 320 });
    expect((await pixel(result.bytes, 2, 2))[3]).toBe(0);
    expect((await pixel(result.bytes, 240, 80))[3]).toBe(255);
  });

  it('refuses a result above 40 megapixels before it works', async () => {
    const large = await sharp({ create: { width: 4000, height: 2600, channels: 3, background: '#777' } })
      .png()
      .toBuffer();
    await expect(STUDIO_OPERATIONS.upscale.run({ factor: 2 }, large)).rejects.toMatchObject({
      code: 'media_too_large',
    });
  });
});

describe('recolor', () => {
  it('changes the hue of the main color, keeps shading, print and alpha', async () => {
    const before = await disc();
    const { bytes } = await STUDIO_OPERATIONS.recolor.run({ targetColor: '#2c6e8f' }, before);
    const [r = 0, g = 0, b = 0] = await pixel(bytes, 60, 20);
    expect(b).toBeGreaterThan(r + 40);
    expect(b).toBeGreaterThan(g);
    expect(await pixel(bytes, 60, 40)).toEqual([255, 255, 255, 255]);
    expect((await pixel(bytes, 1, 1))[3]).toBe(0);
    const [light, dark] = [await pixel(bytes, 50, 25), await pixel(bytes, 86, 58)];
    expect((light[1] ?? 0) - (dark[1] ?? 0)).toBeGreaterThan(15);
  });

  it('turns the hue by an angle; a full turn changes nothing visible', async () => {
    const before = await disc();
    const { bytes } = await STUDIO_OPERATIONS.recolor.run({ hueRotationDegrees: 360 }, before);
    const [a, b] = [await pixel(before, 60, 20), await pixel(bytes, 60, 20)];
    expect(Math.max(...a.map((value, i) => Math.abs(value - (b[i] ?? 0))))).toBeLessThanOrEqual(1);
  });

  it('fills transparency with a backdrop color when asked', async () => {
    const { bytes } = await STUDIO_OPERATIONS.recolor.run(
      { targetColor: '#2c6e8f', backdropColor: '#f0e0d0' },
      await disc(),
    );
    expect(await pixel(bytes, 1, 1)).toEqual([0xf0, 0xe0, 0xd0, 255]);
  });

  it.each([
    {},
    { targetColor: '#fff' },
    { targetColor: '#2c6e8f', hueRotationDegrees: 3 },
    { hueRotationDegrees: NaN },
  ])('refuses %j', async (parameters) => {
    await expect(STUDIO_OPERATIONS.recolor.run(parameters, await disc())).rejects.toMatchObject({
      code: 'invalid_request',
    });
  });
});

describe('crop', () => {
  it('cuts the rectangle, in the picture as shown', async () => {
    const turned = await sharp(await disc())
      .flatten()
      .withMetadata({ orientation: 6 })
      .jpeg()
      .toBuffer();
    const result = await STUDIO_OPERATIONS.crop.run({ left: 0, top: 100, width: 80, height: 20 }, turned);
    expect(result).toMatchObject({ width: 80, height: 20 });
    await expect(
      STUDIO_OPERATIONS.crop.run({ left: 0, top: 101, width: 80, height: 20 }, turned),
    ).rejects.toMatchObject({ code: 'invalid_request' });
  });

  it('finds the largest area of an aspect ratio', () => {
    const picture = { width: 120, height: 80 };
    expect(largestArea({ aspect: '1:1', gravity: 'center' }, picture)).toEqual({
      left: 20,
      top: 0,
      width: 80,
      height: 80,
    });
    expect(largestArea({ aspect: '1:1', gravity: 'east' }, picture)).toMatchObject({ left: 40, top: 0 });
    expect(largestArea({ aspect: '3:1', gravity: 'south-west' }, picture)).toEqual({
      left: 0,
      top: 40,
      width: 120,
      height: 40,
    });
    expect(largestArea({ aspect: '999:1', gravity: 'center' }, picture)).toMatchObject({
      width: 120,
      height: 1,
    });
  });
});

describe('convert', () => {
  it.each(['png', 'jpeg', 'webp', 'avif'] as const)('to %s', async (format) => {
    const result = await STUDIO_OPERATIONS.convert.run({ format }, await disc());
    expect(result).toMatchObject({ mediaType: `image/${format}`, width: 120, height: 80 });
    expect((await pixel(result.bytes, 1, 1))[3]).toBe(format === 'jpeg' ? 255 : 0);
  });

  it('brings 16-bit, gray and CMYK pictures to 8-bit sRGB', async () => {
    const source = sharp(await disc()).flatten({ background: '#ffffff' });
    const inputs = [
      await source.clone().toColourspace('rgb16').png().toBuffer(),
      await source.clone().grayscale().png().toBuffer(),
      await source.clone().toColourspace('cmyk').jpeg().toBuffer(),
    ];
    for (const input of inputs) {
      const { bytes } = await STUDIO_OPERATIONS.convert.run({ format: 'png' }, input);
      expect(await sharp(bytes).metadata()).toMatchObject({ space: 'srgb', depth: 'uchar', channels: 3 });
    }
  });
});
