import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { billedMicroUsd, estimateMicroUsd, type Price } from './price.js';
import { PriceBook, priceBookSchema } from '../registry/price-book.js';
import { readUsage } from './usage.js';
import { FROM_WORDS, type InputFacts, type Work } from './work.js';

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

const picture = (width?: number, height = width): InputFacts => ({
  media: 'image',
  pixels: width === undefined || height === undefined ? undefined : width * height,
  seconds: undefined,
});
const film = (seconds?: number, media: 'video' | 'audio' = 'video'): InputFacts => ({
  media,
  pixels: undefined,
  seconds,
});
const edit = (...inputs: InputFacts[]): Work => ({ operation: 'edit', inputs });

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
    expect(estimateMicroUsd(TOKEN, { prompt: 'abcde' }, edit(picture(), picture()))).toBe(227_045n);
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
    [IMAGE, { image_size: { width: 4096, height: 4096 } }, 'price_unknown'],
    [IMAGE, { resolution: '4K' }, 'price_unknown'],
    [IMAGE, { scale: 8 }, 'price_unknown'],
    [IMAGE, { options: { upscale_factor: 4 } }, 'price_unknown'],
    [IMAGE, { style: 'vector_illustration' }, 'price_unknown'],
    [IMAGE, { output_format: 'svg' }, 'price_unknown'],
    [IMAGE, { rendering_speed: 'QUALITY' }, 'price_unknown'],
    [IMAGE, { input_fidelity: 'high' }, 'price_unknown'],
    [IMAGE, { duration: 10 }, 'price_unknown'],
    [IMAGE, { quality: 'low', options: { quality: { level: 'high' } } }, 'price_unknown'],
    [IMAGE, { thinking: { type: 'enabled' } }, 'price_unknown'],
    [MEGAPIXEL, { style: 'vector_illustration' }, 'price_unknown'],
    [MEGAPIXEL, { rendering_speed: 'QUALITY' }, 'price_unknown'],
    [IMAGE, { enable_web_search: true }, 'price_unknown'],
    [SECOND, { duration: 4, resolution: '4k' }, 'price_unknown'],
    [SECOND, { duration: 4, settings: [{ quality: 'high' }] }, 'price_unknown'],
    [TOKEN, { size: '4096x4096' }, 'price_unknown'],
    [TOKEN, { quality: 'max' }, 'price_unknown'],
  ])('is refused where no bound is known', (price, parameters, code) => {
    expect(() => estimateMicroUsd(price, parameters)).toThrow(expect.objectContaining({ code }));
  });

  it.each<[Price, Record<string, unknown>, bigint]>([
    [IMAGE, { quality: 'low', size: 'auto', sync_mode: true, style_strength: 2, output_quality: 90 }, 6_000n],
    [IMAGE, { quality: 'low', prompt: 'vector', text: '4K', upscale: false, aspect_ratio: '16:9' }, 6_000n],
    [
      SECOND,
      { duration: 4, generate_audio: false, audio_format: 'mp3', audio_setting: { rate: 44_100 } },
      800_000n,
    ],
    [TOKEN, { input_fidelity: 'high' }, 211_040n],
  ])('passes over what makes nothing dearer: %#', (price, parameters, expected) => {
    expect(estimateMicroUsd(price, parameters)).toBe(expected);
  });

  it.each<[string, Price, Record<string, unknown>, string[]]>([
    ['what must be given', { ...IMAGE, mustGive: ['quality', 'size'] }, {}, ['quality', 'size']],
    [
      'what must be given, what is unknown, and what may cost more',
      { ...IMAGE, mustGive: ['size'] },
      { quality: 'ultra', scale: 8, options: { style: 'vector' } },
      ['size', 'scale', 'style', 'quality'],
    ],
    ['other lengths of a film', SECOND, { duration: 4, num_frames: 9, fps: 60 }, ['num_frames', 'fps']],
    [
      'other sizes',
      MEGAPIXEL,
      { scale: 8, output_width: 9, quality: 'high' },
      ['quality', 'scale', 'output_width'],
    ],
  ])('says all at once of %s', (_, price, parameters, paths) => {
    const refusal = expect.objectContaining({
      code: 'price_unknown',
      message: expect.stringMatching(new RegExp(paths.map((path) => `"${path}"`).join('.*'))),
      extensions: { errors: paths.map((path) => expect.objectContaining({ path })) },
    });
    expect(() => estimateMicroUsd(price, parameters)).toThrow(refusal);
  });

  it('names the values that are known', () => {
    expect(() => estimateMicroUsd(IMAGE, { quality: 'ultra' })).toThrow(
      'No price is known for this value of "quality". Known are low, medium, high.',
    );
  });

  it('goes by the word of the price where it says that something costs the same', () => {
    const price: Price = { ...IMAGE, sameFor: { traits: ['size'], source: 'contract 17' } };
    expect(estimateMicroUsd(price, { quality: 'low', scale: 8 })).toBe(6_000n);
    expect(() => estimateMicroUsd(price, { quality: 'low', style: 'vector' })).toThrow(
      '"style" may say what sort of output it is, and no price is known for this value of it.',
    );
  });

  it('is never below what is billed for the same work', () => {
    fc.assert(
      fc.property(fc.nat(7_034), fc.nat(3), fc.string({ maxLength: 200 }), (output, pictures, prompt) => {
        const usage = readUsage({
          'output-image-token': output,
          'input-image-token': pictures * 1_000,
          'input-text-token': Math.floor(prompt.length / 2),
        });
        const work = edit(...Array.from({ length: pictures }, () => picture()));
        const billed = usage === undefined ? undefined : billedMicroUsd(TOKEN, usage);
        expect((billed ?? 0n) <= estimateMicroUsd(TOKEN, { prompt }, work)).toBe(true);
      }),
    );
  });
});

describe('the estimate, by what goes in', () => {
  it.each<[Record<string, unknown>, Work, bigint]>([
    // 24 megapixels: 30,000 for the first and 15,000 for each further one.
    [{}, edit(picture(6000, 4000)), 375_000n],
    [{}, edit(picture(400), picture(6000, 4000)), 375_000n],
    // Smaller than what vendors make by default.
    [{}, edit(picture(400)), 45_000n],
    // Stated: then it does not follow the input.
    [{ width: 1000, height: 1000 }, edit(picture(6000, 4000)), 30_000n],
    [{ image_size: 'square_hd' }, edit(picture(6000, 4000)), 45_000n],
    [{}, { operation: 'edit', inputs: [film(3, 'audio')] }, 45_000n],
  ])('of megapixels: %j', (parameters, work, expected) => {
    expect(estimateMicroUsd(MEGAPIXEL, parameters, work)).toBe(expected);
  });

  it('counts what goes in where the vendor does', () => {
    const work = edit(picture(2000, 2000), picture(400));
    const size = { width: 1000, height: 1000 };
    expect(estimateMicroUsd({ ...MEGAPIXEL, inputMicroUsd: 1_000 }, size, work)).toBe(35_000n);
    expect(estimateMicroUsd({ ...IMAGE, perInputPicture: 70 }, { quality: 'low' }, work)).toBe(6_140n);
  });

  it.each<[string, Price, Record<string, unknown>, Work]>([
    ['a picture of unknown size', MEGAPIXEL, {}, edit(picture())],
    ['one side, where the other follows the picture', MEGAPIXEL, { width: 1000 }, edit(picture(400))],
    [
      'an enlargement by nobody knows how much',
      MEGAPIXEL,
      {},
      { operation: 'upscale', inputs: [picture(400)] },
    ],
    ['a film by the megapixel', MEGAPIXEL, { width: 9, height: 9 }, edit(film(3))],
    ['a film by the token', TOKEN, {}, edit(film(3))],
    ['a film of unknown length', SECOND, { duration: 2 }, edit(film())],
    ['a film that is longer than any output', SECOND, {}, edit(film(60))],
    ['a film and what is added to it', SECOND, { duration: 4 }, edit(film(6))],
  ])('is refused for %s', (_name, price, parameters, work) => {
    expect(() => estimateMicroUsd(price, parameters, work)).toThrow(
      expect.objectContaining({ code: 'price_unknown' }),
    );
  });

  it.each<[Record<string, unknown>, InputFacts[], bigint]>([
    // The longest output: 8 seconds.
    [{}, [film(6)], 3_200_000n],
    // 2 seconds may come after 5.5; sound plays at the same time.
    [{ duration: 2 }, [film(5.5), film(5.5, 'audio')], 3_200_000n],
    [{ duration: 2 }, [film(1.5)], 1_600_000n],
    [{ duration: 2 }, [{ ...film(), isAhead: true }], 3_200_000n],
    [{ duration: 2 }, [picture()], 800_000n],
  ])('of seconds: %j', (parameters, inputs, expected) => {
    expect(estimateMicroUsd(SECOND, parameters, { operation: 'animate', inputs })).toBe(expected);
  });

  it('is never below what a model bills that gives back what goes in', () => {
    const side = fc.integer({ min: 1, max: 9_000 });
    fc.assert(
      fc.property(side, side, (width, height) => {
        const billed = Math.max(1, Math.ceil((width * height) / 1_000_000)) * 15_000 + 15_000;
        const estimate = estimateMicroUsd(MEGAPIXEL, {}, edit(picture(width, height)));
        expect(estimate >= BigInt(billed)).toBe(true);
      }),
    );
  });

  it('of something new needs to know nothing of pictures', () => {
    expect(estimateMicroUsd(MEGAPIXEL, {}, FROM_WORDS)).toBe(45_000n);
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

  const SIZE = { width: 2048, height: 2048 };
  const estimate = (provider: 'fal' | 'replicate' | 'openai' | 'google', endpoint: string) => {
    const price = new PriceBook().find(provider, endpoint);
    if (price === undefined) throw new Error(`no price of ${endpoint}`);
    return (parameters: Record<string, unknown>, work?: Work) => estimateMicroUsd(price, parameters, work);
  };

  it.each([
    ['fal', 'fal-ai/flux/schnell', { image_size: 'landscape_4_3', num_inference_steps: 4 }, 6_000n],
    ['fal', 'fal-ai/flux-2/turbo', { image_size: SIZE, enable_prompt_expansion: true }, 40_000n],
    ['fal', 'fal-ai/recraft/v3/text-to-image', { image_size: SIZE, style: 'realistic_image/hdr' }, 40_000n],
    ['fal', 'fal-ai/nano-banana-2', { resolution: '2K', enable_web_search: true }, 137_000n],
    ['fal', 'fal-ai/nano-banana-2/edit', { thinking_level: 'high' }, 177_000n],
    ['fal', 'fal-ai/nano-banana-pro', { resolution: '4K', aspect_ratio: '16:9' }, 300_000n],
    ['fal', 'fal-ai/bytedance/seedream/v5/lite', { image_size: 'auto_3K' }, 35_000n],
    ['fal', 'fal-ai/bytedance/seedream/v5/pro', { image_size: SIZE }, 135_000n],
    ['fal', 'fal-ai/bria/background/remove', { sync_mode: true }, 18_000n],
    ['fal', 'fal-ai/gpt-image-2', { image_size: 'square_hd', quality: 'low' }, 410_000n],
    ['fal', 'fal-ai/veo3.1', { duration: '4s', resolution: '1080p', auto_fix: true }, 1_600_000n],
    ['fal', 'fal-ai/veo3.1/lite', { generate_audio: false }, 240_000n],
    ['replicate', 'black-forest-labs/flux-schnell', { megapixels: '1', output_quality: 80 }, 3_000n],
    ['google', 'gemini-3.1-flash-image', { imageSize: '1K', aspectRatio: '1:1' }, 67_000n],
    ['google', 'gemini-3-pro-image', { imageSize: '2K' }, 240_000n],
  ] as const)('prices ordinary calls of %s %s', (provider, endpoint, parameters, expected) => {
    expect(estimate(provider, endpoint)(parameters)).toBe(expected);
  });

  it.each([
    ['fal', 'fal-ai/recraft/v3/text-to-image', { style: 'vector_illustration/line_art' }],
    ['fal', 'fal-ai/recraft/v3/text-to-image', { style_id: 'of-our-own' }],
    ['fal', 'fal-ai/nano-banana-pro', { enable_web_search: true }],
    ['fal', 'fal-ai/gpt-image-2', { image_size: SIZE }],
    ['fal', 'fal-ai/veo3.1', { resolution: '4k' }],
    ['fal', 'fal-ai/veo3.1/lite', { resolution: '1080p' }],
    ['replicate', 'black-forest-labs/flux-schnell', { megapixels: '4' }],
    ['openai', 'gpt-image-1.5', { size: '3840x2160' }],
    ['openai', 'gpt-image-1.5', { quality: 'low', size: '1024x1024', output_format: 'gif' }],
    ['google', 'gemini-2.5-flash-image', { imageSize: '4K' }],
  ] as const)('knows no price of %s %s with %j', (provider, endpoint, parameters) => {
    expect(() => estimate(provider, endpoint)(parameters)).toThrow(
      expect.objectContaining({ code: 'price_unknown' }),
    );
  });

  it.each(['gpt-image-1.5', 'gpt-image-1-mini'])(
    'counts what goes into %s, and learns what it was',
    (model) => {
      const parameters = { quality: 'low', size: '1024x1024', input_fidelity: 'high' };
      const pictures = edit(...Array.from({ length: 8 }, () => picture(4000)));
      const reserved = estimate('openai', model)(parameters, pictures);
      const price = new PriceBook().find('openai', model);
      const usage = { 'input-text-token': 100, 'input-image-token': 49_900, 'output-image-token': 272 };
      const billed = price && billedMicroUsd(price, usage);
      expect(billed).toBeGreaterThan(estimate('openai', model)(parameters));
      expect(billed).toBeLessThanOrEqual(reserved);
    },
  );

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
