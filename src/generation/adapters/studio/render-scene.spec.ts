import { describe, expect, it } from '@jest/globals';
import { sharp } from '../../../assets/adapters/libvips.js';
import { sha256Hex } from '../../../shared/bytes.js';
import { renderScene, renderSceneParameters, renderSceneParts } from './render-scene.js';
import { BACKDROP_KINDS } from './scene/backdrop-shading.js';
import { PRODUCT_KINDS } from './scene/product-shape.js';

function parameters(given: Record<string, unknown> = {}) {
  return renderSceneParameters.parse({ width: 256, height: 256, palette: 'terracotta', ...given });
}

describe('render-scene', () => {
  it('gives the same bytes for the same parameters, and no metadata', async () => {
    const [first, second] = [await renderScene(parameters()), await renderScene(parameters())];
    expect(sha256Hex(first.bytes)).toBe(sha256Hex(second.bytes));
    const header = await sharp(first.bytes).metadata();
    expect(header).toMatchObject({ format: 'png', width: 256, height: 256, space: 'srgb', hasAlpha: false });
    expect([header.exif, header.xmp, header.icc, header.comments]).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('differs by seed, by prompt and by brand name', async () => {
    const variants = [{}, { seed: 1 }, { prompt: 'a summer campaign' }, { brandName: 'Other' }];
    const hashes = await Promise.all(
      variants.map(async (v) => sha256Hex((await renderScene(parameters(v))).bytes)),
    );
    expect(new Set(hashes).size).toBe(variants.length);
  });

  it.each(PRODUCT_KINDS)('shows a %s in the middle, clear of the borders', async (product) => {
    // Every backdrop occurs; where the product stands does not depend on it.
    const backdrop = BACKDROP_KINDS[PRODUCT_KINDS.indexOf(product) % BACKDROP_KINDS.length];
    const parts = await renderSceneParts(parameters({ product, backdrop, width: 320 }));
    expect(parts.product).toMatchObject({ width: 320, height: 256 });
    const { data, info } = await sharp(parts.product.bytes)
      .extractChannel(3)
      .raw()
      .toBuffer({ resolveWithObject: true });
    const alphaAt = (x: number, y: number) => data[y * info.width + x] ?? 0;
    expect(alphaAt(160, 140)).toBe(255);
    const border = Array.from({ length: 256 }, (_, y) => alphaAt(0, y) + alphaAt(319, y));
    expect(Math.max(...border, ...data.subarray(0, 320), ...data.subarray(-320))).toBe(0);
    expect(data.reduce((sum, value) => sum + value, 0) / 255 / data.length).toBeGreaterThan(0.06);
  });

  it('is the backdrop with the product laid over it', async () => {
    const parts = await renderSceneParts(parameters());
    const laid = await sharp(parts.backdrop.bytes)
      .composite([{ input: parts.product.bytes }])
      .removeAlpha()
      .raw()
      .toBuffer();
    const whole = await sharp(parts.picture.bytes).raw().toBuffer();
    const difference =
      whole.reduce((sum, value, i) => sum + Math.abs(value - (laid[i] ?? 0)), 0) / whole.length;
    expect(difference).toBeLessThan(0.5);
  });

  it('takes any name of 24 characters, and nothing of it reaches the SVG as markup', async () => {
    for (const brandName of [
      '</svg><image href="x"/>',
      '日本の香水',
      'Ærøskøbing & Søn',
      '%s\\u0000{}"\'`',
    ]) {
      await expect(renderScene(parameters({ brandName }))).resolves.toMatchObject({ mediaType: 'image/png' });
    }
  });

  it.each([
    { brandName: 'x'.repeat(25) },
    { brandName: '   ' },
    { brandName: 'a\u0000b' },
    { brandName: 'abc\u202Edef' },
    { palette: ['#ffffff', 'red', '#000000'] },
    { palette: ['#ffffff', '#000000'] },
    { palette: 'unheard-of' },
    { width: 255 },
    { height: 2049 },
    { width: 300.5 },
    { seed: -1 },
    { product: 'shoe' },
    { unknown: 1 },
  ])('refuses %j', (given) => {
    expect(renderSceneParameters.safeParse(given).success).toBe(false);
  });
});
