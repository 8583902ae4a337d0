import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { billedMicroUsd, estimateMicroUsd, type Price } from './price.js';
import { PriceBook, priceBookSchema } from '../registry/price-book.js';
import { readUsage } from './usage.js';

const ORIGIN = { source: 'a contract', dateRead: '2026-11-22', verified: true } as const;

const IMAGE: Price = {
  family: 'per-image',
  tiers: [
    { when: { quality: ['low'] }, microUsd: 6_000 },
    { when: { quality: ['medium'] }, microUsd: 53_000 },
    { when: { quality: ['high'] }, microUsd: 211_000 },
  ],
  ...ORIGIN,
};
const SECOND: Price = {
  family: 'per-second',
  tiers: [
    { when: { generate_audio: [false] }, microUsdPerSecond: 200_000 },
    { when: { generate_audio: [true] }, microUsdPerSecond: 400_000 },
  ],
  secondsParameter: 'duration',
  maxSeconds: 8,
  ...ORIGIN,
};
const TOKEN: Price = {
  family: 'per-token',
  microUsdPerMillion: {
    inputText: 5_000_000,
    inputImage: 8_000_000,
    outputText: 30_000_000,
    outputImage: 30_000_000,
  },
  outputTokens: [{ when: {}, atMost: 7_034 }],
  inputTokensPerImage: 1_000,
  ...ORIGIN,
};
const MEGAPIXEL: Price = {
  family: 'per-megapixel',
  firstMicroUsd: 30_000,
  furtherMicroUsd: 15_000,
  ...ORIGIN,
};

describe('the estimate, which is reserved', () => {
  it.each([
    [{ quality: 'low' }, 6_000n],
    [{ quality: 'high' }, 211_000n],
    // Left open: the dearest.
    [{ quality: 'auto' }, 211_000n],
    [{}, 211_000n],
  ])('of a picture with %j', (parameters, expected) => {
    expect(estimateMicroUsd(IMAGE, parameters)).toBe(expected);
  });

  it.each([
    [{ width: 1000, height: 1000 }, 30_000n],
    [{ width: 1001, height: 1000 }, 45_000n],
    [{ width: 2000, height: 2000 }, 75_000n],
    [{}, 45_000n],
    [{ image_size: 'square' }, 45_000n],
    [{ image_size: { width: 512, height: 512 } }, 30_000n],
    [{ image_size: { width: 2000, height: 2000 } }, 75_000n],
    [{ image_size: { width: 512, height: 512 }, width: 2000, height: 2000 }, 75_000n],
    [{ size: '2000x2000' }, 75_000n],
    [{ size: { width: 2000, height: 2000 }, image_size: 'square' }, 75_000n],
    [{ resolution: '4 MP' }, 90_000n],
    [{ megapixels: '0.25', width: 2000, height: 2000 }, 75_000n],
    [{ guidance_scale: 8, font_size: 40, top_p: 1, upscale: false, prompt: '4K', text: '16 MP' }, 45_000n],
  ])('of megapixels, rounded up: %j', (parameters, expected) => {
    expect(estimateMicroUsd(MEGAPIXEL, parameters)).toBe(expected);
  });

  it.each([
    [{ duration: 4, generate_audio: false }, 800_000n],
    [{ duration: '4s', generate_audio: false }, 800_000n],
    [{ duration: 4.2, generate_audio: true }, 2_000_000n],
    [{}, 3_200_000n],
  ])('of seconds: %j', (parameters, expected) => {
    expect(estimateMicroUsd(SECOND, parameters)).toBe(expected);
  });

  it('of tokens: all output, every input picture, and a token for each byte of text', () => {
    // 7,034 x 30 + 2 x 1,000 x 8 + 5 x 5 = 227,045 micro-USD.
    expect(estimateMicroUsd(TOKEN, { prompt: 'abcde' }, 2)).toBe(227_045n);
  });

  it.each<[Price, Record<string, unknown>, string]>([
    [IMAGE, { quality: 'ultra' }, 'price_unknown'],
    [SECOND, { duration: 60 }, 'invalid_request'],
    [SECOND, { duration: 'long' }, 'invalid_request'],
    [MEGAPIXEL, { width: 20_000, height: 20_000 }, 'invalid_request'],
    // A vendor reads numbers in texts, and knows words for sizes that are not in the price book.
    [MEGAPIXEL, { width: '4096', height: '4096' }, 'invalid_request'],
    [MEGAPIXEL, { image_size: { width: '4096', height: '4096' } }, 'invalid_request'],
    [MEGAPIXEL, { image_size: { width: -4096, height: 4096 } }, 'invalid_request'],
    [MEGAPIXEL, { image_size: 'auto_4K' }, 'price_unknown'],
    [MEGAPIXEL, { image_size: [4096, 4096] }, 'price_unknown'],
    [MEGAPIXEL, { width: 1e-9, height: 4096 }, 'invalid_request'],
    [MEGAPIXEL, { image_size: { width: 512, height: 512, Width: 4096 } }, 'price_unknown'],
    [MEGAPIXEL, { Width: 4096, Height: 4096 }, 'price_unknown'],
    [MEGAPIXEL, { size: '4K' }, 'price_unknown'],
    [MEGAPIXEL, { size: '20000x20000' }, 'invalid_request'],
    [MEGAPIXEL, { resolution: '4K' }, 'price_unknown'],
    [MEGAPIXEL, { megapixels: '-1' }, 'price_unknown'],
    [MEGAPIXEL, { megapixels: 400 }, 'invalid_request'],
    [MEGAPIXEL, { scale: 8 }, 'price_unknown'],
    [MEGAPIXEL, { upscaleFactor: 8 }, 'price_unknown'],
    [MEGAPIXEL, { output_width: 4096, output_height: 4096 }, 'price_unknown'],
    [MEGAPIXEL, { target_size: { width: 8192, height: 8192 } }, 'price_unknown'],
    [MEGAPIXEL, { options: { width: 4096 } }, 'price_unknown'],
    [MEGAPIXEL, { settings: [{ scale: 4 }] }, 'price_unknown'],
    [MEGAPIXEL, { format: '4096x4096' }, 'price_unknown'],
    [MEGAPIXEL, { expand_left: 4000 }, 'price_unknown'],
    [SECOND, { duration: 4, num_frames: 10_000 }, 'price_unknown'],
    [SECOND, { duration: 4, options: { seconds: 60 } }, 'price_unknown'],
    [{ ...IMAGE, mustGive: ['quality'] }, { quality: 'auto' }, 'price_unknown'],
  ])('is refused where no bound is known', (price, parameters, code) => {
    expect(() => estimateMicroUsd(price, parameters)).toThrow(expect.objectContaining({ code }));
  });

  it('is never below what is billed for the same work', () => {
    fc.assert(
      fc.property(fc.nat(7_034), fc.nat(3), fc.string({ maxLength: 200 }), (output, pictures, prompt) => {
        const usage = readUsage({
          'output-image-token': output,
          'input-image-token': pictures * 1_000,
          'input-text-token': Math.floor(prompt.length / 2),
        });
        const billed = usage === undefined ? undefined : billedMicroUsd(TOKEN, usage);
        expect((billed ?? 0n) <= estimateMicroUsd(TOKEN, { prompt }, pictures)).toBe(true);
      }),
    );
  });
});

describe('the settlement by the vendor’s own number', () => {
  it('adds up tokens by modality, rounded up', () => {
    const usage = { 'input-text-token': 12, 'input-image-token': 300, 'output-image-token': 1_056 };
    expect(billedMicroUsd(TOKEN, usage)).toBe(34_140n);
    expect(billedMicroUsd(TOKEN, { 'output-image-token': 1 / 3 })).toBe(30n);
  });

  it('reads the meter that the price names, and no other', () => {
    const price: Price = { ...MEGAPIXEL, settledBy: { meter: 'unit', microUsd: 3_000 } };
    expect(billedMicroUsd(price, { unit: 3.008 })).toBe(9_024n);
    expect(billedMicroUsd(price, { image: 1 })).toBeUndefined();
    expect(billedMicroUsd(MEGAPIXEL, { unit: 1 })).toBeUndefined();
  });

  it('is silent where the output is not counted: unknown is never 0', () => {
    expect(billedMicroUsd(TOKEN, { 'input-text-token': 12 })).toBeUndefined();
  });

  it('takes nonsense for silence', () => {
    for (const value of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, 1e10, '3', null, undefined])
      expect(readUsage({ unit: value })).toBeUndefined();
    expect(readUsage({ unit: 0, image: 1 })).toEqual({ image: 1 });
  });
});

describe('the price book', () => {
  it('knows what was read, with its source and date, and nothing else', () => {
    const book = new PriceBook();
    expect(book.find('fal', 'fal-ai/flux/schnell')).toMatchObject({
      source: expect.stringContaining('toolchew'),
      verified: false,
    });
    expect(book.find('fal', 'fal-ai/qwen-image')).toBeUndefined();
    expect(book.find('openai', 'gpt-image-2.5-flare')).toBeUndefined();
  });

  it('takes the prices of the operator’s contract before the seed', () => {
    const price: Price = { family: 'per-image', tiers: [{ when: {}, microUsd: 1 }], ...ORIGIN };
    const book = new PriceBook([{ provider: 'fal', endpoint: 'fal-ai/flux/schnell', price }]);
    expect(book.find('fal', 'fal-ai/flux/schnell')).toEqual(price);
  });

  it.each([
    ['a price of 0', { family: 'per-image', tiers: [{ microUsd: 0 }] }],
    ['a fraction of a micro-USD', { family: 'per-image', tiers: [{ microUsd: 0.5 }] }],
    ['no tiers', { family: 'per-image', tiers: [] }],
    ['no source', { family: 'per-image', tiers: [{ microUsd: 1 }], source: '' }],
  ])('refuses %s', (_name, price) => {
    const rows = [{ provider: 'fal', endpoint: 'x', price: { ...ORIGIN, ...price } }];
    expect(priceBookSchema.safeParse({ rows }).success).toBe(false);
  });
});
