import { describe, expect, it } from '@jest/globals';
import { sharp } from '../../../assets/adapters/libvips.js';
import { cutOut } from './cut-out.js';
import { math } from './math.js';
import { renderSceneParameters, renderSceneParts } from './render-scene.js';

async function alphaOf(bytes: Buffer): Promise<Buffer> {
  return sharp(bytes).extractChannel(3).raw().toBuffer();
}

/** Intersection over union of two soft masks. */
function overlap(a: Buffer, b: Buffer): number {
  let [inner, outer] = [0, 0];
  a.forEach((value, i) => {
    inner += math.min(value, b[i] ?? 0);
    outer += math.max(value, b[i] ?? 0);
  });
  return inner / outer;
}

/** A photograph-like picture: uneven light, grain, a soft shadow, and a blue subject with a white stripe. */
async function photograph(width: number, height: number, subject: boolean): Promise<Buffer> {
  const shapes = subject
    ? '<ellipse cx="50" cy="50" rx="16" ry="31" fill="#2456a4"/><rect x="40" y="46" width="20" height="8" fill="#f4f4f0"/>'
    : '';
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 100 100" preserveAspectRatio="none">
    <defs><radialGradient id="l"><stop offset="0" stop-color="#e9e4da"/><stop offset="1" stop-color="#c9c2b4"/></radialGradient>
    <filter id="f"><feGaussianBlur stdDeviation="3"/></filter></defs>
    <rect width="100" height="100" fill="url(#l)"/><ellipse cx="54" cy="81" rx="22" ry="4" opacity="0.35" filter="url(#f)"/>${shapes}</svg>`;
  const { data, info } = await sharp(Buffer.from(svg))
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  const { imul, max, min } = math;
  let state = 1;
  for (let i = 0; i < data.length; i++) {
    state = (imul(state, 1_103_515_245) + 12_345) >>> 0;
    data[i] = min(255, max(0, (data[i] ?? 0) + ((state >>> 16) % 7) - 3));
  }
  return sharp(data, { raw: { width: info.width, height: info.height, channels: 3 } })
    .jpeg({ quality: 90 })
    .toBuffer();
}

describe('cut-out', () => {
  it.each([
    { product: 'bottle', palette: 'terracotta', backdrop: 'studio' },
    { product: 'jar', palette: 'sage', backdrop: 'podium' },
    { product: 'box', palette: 'midnight', backdrop: 'gradient' },
    { product: 'tube', palette: 'ocean', backdrop: 'plain' },
    { product: 'can', palette: 'noir', backdrop: 'studio' },
  ])('finds the product of our own scene: $product on $backdrop', async (given) => {
    const scene = await renderSceneParts(renderSceneParameters.parse({ ...given, width: 448, height: 448 }));
    const cut = await cutOut({}, scene.picture.bytes);
    const truth = await alphaOf(scene.product.bytes);
    expect(overlap(await alphaOf(cut.bytes), truth)).toBeGreaterThan(0.95);
    expect(cut).toMatchObject({ mediaType: 'image/png', width: 448, height: 448 });
  });

  it('finds the subject of a photograph with grain, uneven light and a shadow, and clears the corners', async () => {
    const cut = await cutOut({}, await photograph(600, 800, true));
    expect(cut.coverage).toBeGreaterThan(0.15);
    expect(cut.coverage).toBeLessThan(0.19);
    const alpha = await alphaOf(cut.bytes);
    expect([alpha[0], alpha[599], alpha[400 * 600 + 300]]).toEqual([0, 0, 255]);
  });

  it('works above the size at which it segments', async () => {
    const cut = await cutOut({}, await photograph(1600, 1000, true));
    expect(cut).toMatchObject({ width: 1600, height: 1000 });
    expect(cut.coverage).toBeCloseTo(0.168, 1);
  });

  it('has soft edges and leaves no fringe of the old backdrop', async () => {
    const cut = await cutOut({}, await photograph(600, 800, true));
    const { data } = await sharp(cut.bytes).raw().toBuffer({ resolveWithObject: true });
    let soft = 0;
    let fringe = 0;
    for (let i = 0; i < data.length; i += 4) {
      const alpha = data[i + 3] ?? 0;
      if (alpha > 20 && alpha < 235) soft += 1;
      // The beige backdrop has more red than blue; neither the subject nor its stripe has.
      if (alpha > 128 && (data[i] ?? 0) > (data[i + 2] ?? 0) + 12) fringe += 1;
    }
    expect(soft).toBeGreaterThan(300);
    expect(fringe).toBeLessThan(soft);
  });

  it('is deterministic', async () => {
    const photo = await photograph(500, 400, true);
    expect((await cutOut({}, photo)).bytes.equals((await cutOut({}, photo)).bytes)).toBe(true);
  });

  it('keeps the transparency of a picture that is cut out already', async () => {
    const once = await cutOut({}, await photograph(500, 400, true));
    const twice = await cutOut({}, once.bytes);
    expect(await alphaOf(twice.bytes)).toEqual(await alphaOf(once.bytes));
  });

  it('refuses a backdrop without a subject', async () => {
    await expect(cutOut({}, await photograph(400, 300, false))).rejects.toMatchObject({
      code: 'upstream_invalid',
    });
    const flat = await sharp({ create: { width: 64, height: 64, channels: 3, background: '#888' } })
      .png()
      .toBuffer();
    await expect(cutOut({}, flat)).rejects.toMatchObject({ code: 'upstream_invalid' });
  });

  it('survives pictures of one pixel and one line', async () => {
    for (const [width, height] of [
      [1, 1],
      [1, 50],
      [50, 1],
      [3, 3],
    ] as const) {
      const tiny = await sharp({ create: { width, height, channels: 3, background: '#123' } })
        .png()
        .toBuffer();
      await expect(cutOut({}, tiny)).rejects.toMatchObject({ code: 'upstream_invalid' });
    }
  });
});
