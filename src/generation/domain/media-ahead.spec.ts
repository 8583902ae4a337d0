import { describe, expect, it } from '@jest/globals';
import { type KnownAssets, PICTURE_AHEAD_PIXELS } from './media-ahead.js';
import { builtinOfferings, type Offering, Offerings } from './offering.js';
import { pipelineDefinitionSchema } from './pipeline-definition.js';
import { planSteps } from './plan-steps.js';
import { resolveSteps, type RunInputs } from './resolve-run.js';

/** One micro-USD for each megapixel: what is reserved is the size. */
const BY_THE_MEGAPIXEL = {
  family: 'per-megapixel',
  firstMicroUsd: 1,
  furtherMicroUsd: 1,
  source: 'a test',
  dateRead: '2026-11-22',
  verified: true,
} as const;
const VENDOR: Offering[] = (['generate', 'edit'] as const).map((operation) => ({
  listingId: 'model@fal',
  operation,
  provider: 'fal',
  endpoint: 'a/model',
  price: BY_THE_MEGAPIXEL,
  trainedModel: true,
}));
const offerings = new Offerings([...builtinOfferings(() => undefined), ...VENDOR]);
const NOTHING: RunInputs = { values: {}, images: {}, substitutes: {} };
const PHOTO = { width: 6000, height: 4000, durationMs: undefined };
const known: KnownAssets = new Map([['photo', PHOTO]]);
const AHEAD = BigInt(Math.ceil(PICTURE_AHEAD_PIXELS / 1_000_000));

const scene = (parameters: object = {}) => ({
  key: 'first',
  operation: 'generate',
  model: 'studio-scene@studio',
  parameters: { prompt: 'x', ...parameters },
});
const studio = (operation: string, key: string, image: object, more: object = {}) => ({
  key,
  operation,
  model: `studio-${operation}@studio`,
  images: { image },
  ...more,
});
const PHOTO_INPUT = { input: 'photo' };
const edit = (image: object, more: object = {}) => ({
  key: 'edit',
  operation: 'edit',
  model: 'model@fal',
  parameters: { prompt: 'x' },
  images: { image },
  ...more,
});

function megapixels(steps: object[], inputs: Partial<RunInputs> = {}, assets = known): bigint | undefined {
  const definition = pipelineDefinitionSchema.parse({ steps });
  const all = { ...NOTHING, ...inputs };
  const resolved = resolveSteps(planSteps(definition, all, offerings), all, 'live', offerings, assets);
  return resolved.find(({ key }) => key === 'edit')?.reservedMicroUsd;
}

describe('what is reserved for a step that works on a picture', () => {
  it('that was received: its size', () => {
    expect(megapixels([edit(PHOTO_INPUT)], { images: { photo: 'photo' } })).toBe(24n);
    expect(() => megapixels([edit(PHOTO_INPUT)], { images: { photo: 'drawing' } })).toThrow(
      'How large a picture that goes in is, is not known',
    );
  });

  it('that takes the place of a step: its size', () => {
    expect(megapixels([scene(), edit({ step: 'first' })], { substitutes: { first: 'photo' } })).toBe(24n);
  });

  it.each<[string, object[], bigint]>([
    ['a scene of the studio', [scene({ width: 2000, height: 1000 })], 2n],
    ['a scene that is enlarged', [scene(), studio('upscale', 'last', { step: 'first' })], 5n],
    ['a photograph that is recolored', [studio('recolor', 'last', PHOTO_INPUT)], 24n],
    [
      'a photograph that is enlarged',
      [studio('upscale', 'last', PHOTO_INPUT, { parameters: { factor: 4 } })],
      100n,
    ],
    [
      'what a person makes of a photograph',
      [{ key: 'last', operation: 'wait-for-edit', images: { image: PHOTO_INPUT } }],
      24n,
    ],
    [
      'what a person makes of a scene',
      [scene(), { key: 'last', operation: 'wait-for-edit', images: { image: { step: 'first' } } }],
      AHEAD,
    ],
    [
      'what a person lets pass',
      [scene(), { key: 'last', operation: 'wait-for-approval', images: { image: { step: 'first' } } }],
      2n,
    ],
    ['a picture of a vendor', [{ ...scene(), key: 'last', model: 'model@fal' }], AHEAD],
    [
      'a picture of a vendor, of a stated size',
      [{ ...scene({ width: 1500, height: 1500 }), key: 'last', model: 'model@fal' }],
      3n,
    ],
    [
      'a scene, or what a fallback makes',
      [{ ...scene(), key: 'last', fallbacks: [{ model: 'model@fal' }] }],
      AHEAD,
    ],
    [
      'what may be passed on as it is',
      [
        studio('crop', 'small', PHOTO_INPUT),
        {
          ...scene(),
          key: 'last',
          operation: 'upscale',
          model: 'studio-upscale@studio',
          parameters: {},
          images: { image: { step: 'small' } },
          when: { step: 'small', fact: 'width', compare: 'below', value: 9, otherwise: 'pass' },
        },
      ],
      96n,
    ],
  ])('that is still to be made: %s', (_name, before, expected) => {
    const last = (before.at(-1) as { key: string }).key;
    const isGiven = JSON.stringify(before).includes(JSON.stringify(PHOTO_INPUT));
    const images: Record<string, string> = isGiven ? { photo: 'photo' } : {};
    expect(megapixels([...before, edit({ step: last })], { images })).toBe(expected);
  });

  it('of a stated size: that', () => {
    const sized = edit(PHOTO_INPUT, { parameters: { prompt: 'x', width: 1000, height: 1000 } });
    expect(megapixels([sized], { images: { photo: 'photo' } })).toBe(1n);
  });
});
