import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { PriceBook } from '../registry/price-book.js';
import { BUILTIN_PIPELINES } from './builtin-pipelines.js';
import { checkPipeline } from './check-pipeline.js';
import { builtinOfferings, type Offering, Offerings } from './offering.js';
import { pipelineDefinitionSchema } from './pipeline-definition.js';
import { planSteps } from './plan-steps.js';
import { estimateMicroUsd } from './price.js';
import { resolveSteps, textsOf } from './resolve-run.js';
import { type RunInputs, type RunItem } from './run-inputs.js';
import seed from '../../licenses/registry/listings.json' with { type: 'json' };

const prices = new PriceBook();
const priced = (name: string, microUsd: number): Offering => ({
  listingId: `${name}@fal`,
  operation: 'generate',
  provider: 'fal',
  endpoint: `fal-ai/${name}`,
  price: {
    family: 'per-megapixel',
    firstMicroUsd: microUsd,
    furtherMicroUsd: microUsd,
    source: 'a test',
    dateRead: '2026-11-22',
    verified: true,
  },
  trainedModel: true,
});
const PRICED = [priced('cheap', 3_000), priced('middle', 25_000), priced('dear', 90_000)];
const offerings = new Offerings([
  ...builtinOfferings((provider, endpoint) => prices.find(provider, endpoint)),
  ...PRICED,
]);
const NOTHING: RunInputs = { values: {}, images: {}, substitutes: {} };
const item = (values: RunItem['values']): RunItem => ({ values, images: {} });

const pipeline = (...steps: object[]) => pipelineDefinitionSchema.parse({ steps });
const VARIANT = {
  key: 'variant',
  operation: 'generate',
  model: { item: 'model', default: 'studio-scene@studio' },
  each: { input: 'variations' },
  parameters: { prompt: { item: 'prompt' }, brief: { input: 'brief', optional: true } },
};
const UPSCALE = {
  key: 'upscale',
  operation: 'upscale',
  model: 'studio-upscale@studio',
  each: { input: 'variations' },
  images: { image: { step: 'variant' } },
};
const PICK = { key: 'pick', operation: 'choose', images: { image: { step: 'upscale' } } };
const resolve = (
  definition: ReturnType<typeof pipeline>,
  inputs: RunInputs,
  mode: 'live' | 'test' = 'live',
) => resolveSteps(planSteps(definition, inputs, offerings), inputs, mode, offerings);

describe('a step over a list', () => {
  const lists = { variations: [item({ prompt: 'a' }), item({ prompt: 'b', model: 'cheap@fal' })] };

  it('has an instance for each item, which the steps with the same list follow, and a choice gathers', () => {
    const steps = resolve(pipeline(VARIANT, UPSCALE, PICK), { ...NOTHING, values: { brief: 'x' }, lists });
    expect(steps.map(({ key, listingId, dependsOn }) => [key, listingId, dependsOn])).toEqual([
      ['variant.1', 'studio-scene@studio', []],
      ['variant.2', 'cheap@fal', []],
      ['upscale.1', 'studio-upscale@studio', ['variant.1']],
      ['upscale.2', 'studio-upscale@studio', ['variant.2']],
      ['pick', 'none', ['upscale.1', 'upscale.2']],
    ]);
    expect(steps.map(({ parameters }) => parameters.prompt)).toEqual([
      'a',
      'b',
      undefined,
      undefined,
      undefined,
    ]);
    expect(steps.at(-1)?.plan).toMatchObject({ needsAny: true, human: { operation: 'choose' } });
    expect(steps.map(({ plan }) => plan.onFailure)).toEqual([
      'continue',
      'continue',
      'continue',
      'continue',
      'stop',
    ]);
  });

  it('is refused before anything else when it is too long, all steps counted', () => {
    const many = { variations: Array.from({ length: 250 }, () => item({ prompt: 'a' })) };
    expect(() => planSteps(pipeline(VARIANT, UPSCALE), { ...NOTHING, lists: many }, offerings)).not.toThrow();
    expect(() => planSteps(pipeline(VARIANT, UPSCALE, PICK), { ...NOTHING, lists: many }, offerings)).toThrow(
      'The run would have 501 steps',
    );
  });

  it('names the place of what is missing, misspelled, or replaced as a whole', () => {
    const plan = (inputs: Partial<RunInputs>) => () => resolve(pipeline(VARIANT), { ...NOTHING, ...inputs });
    expect(plan({})).toThrow('inputs.variations: a list of items is required');
    expect(plan({ values: { variations: [] } })).toThrow('inputs.variations: a list of items is required');
    expect(plan({ lists: { variations: [item({ promt: 'a' })] } })).toThrow('inputs.variations.0.promt');
    expect(plan({ lists: { variations: [item({ prompt: 'a' }), item({})] } })).toThrow(
      'inputs.variations.1.prompt',
    );
    expect(plan({ lists, substitutes: { variant: 'x' } })).toThrow('e.g. "variant.1"');
  });

  it('cannot feed a step that works on one file', () => {
    const single = { ...UPSCALE, each: undefined };
    expect(() => checkPipeline(pipeline(VARIANT, single))).toThrow(
      'give it the same list, or choose one first',
    );
  });

  it('is no single step whose outcome a condition could ask for', () => {
    const when = { step: 'variant', fact: 'outcome', compare: 'equals', value: 'FAILED' };
    const pick = { ...PICK, images: { image: { step: 'variant' } }, when };
    expect(() => checkPipeline(pipeline(VARIANT, pick))).toThrow('needs one output of "variant"');
  });

  it('hands every text of every item to the blocked terms', () => {
    const inputs = { ...NOTHING, values: { brief: 'the brief' }, lists };
    expect(
      textsOf(planSteps(pipeline(VARIANT), inputs, offerings), inputs)
        .map(({ text }) => text)
        .sort(),
    ).toEqual(['a', 'b', 'the brief']);
  });
});

describe('fallbacks', () => {
  const withFallbacks = (models: readonly string[]) => {
    const [first, ...others] = models;
    return pipeline({
      key: 'generate',
      operation: 'generate',
      model: first,
      parameters: { prompt: 'x', width: 2048, height: 1024 },
      ...(others.length === 0 ? {} : { fallbacks: others.map((model) => ({ model })) }),
    });
  };

  it('reserve the dearest way, whatever their order: never below what may be spent', () => {
    const names = PRICED.map(({ listingId }) => listingId);
    fc.assert(
      fc.property(fc.shuffledSubarray(names, { minLength: 1 }), (models) => {
        const [step] = resolve(withFallbacks(models), NOTHING);
        const costs = models.map((name) => {
          const price = PRICED.find(({ listingId }) => listingId === name)?.price;
          return price ? estimateMicroUsd(price, { width: 2048, height: 1024 }) : 0n;
        });
        expect(costs.every((cost) => cost <= (step?.reservedMicroUsd ?? -1n))).toBe(true);
        expect(costs).toContain(step?.reservedMicroUsd);
        const ways = step?.plan.alternatives?.map(({ listingId }) => listingId);
        expect(ways ?? [step?.listingId]).toEqual(models);
      }),
    );
  });

  it('are refused with an unknown price, or when nobody runs them', () => {
    const unpriced = new Offerings([...PRICED, { ...priced('new', 1), price: undefined }]);
    const definition = withFallbacks(['cheap@fal', 'new@fal']);
    const planned = planSteps(definition, NOTHING, unpriced);
    expect(() => resolveSteps(planned, NOTHING, 'live', unpriced)).toThrow(
      'The price of new@fal is not known',
    );
    expect(() => resolve(withFallbacks(['cheap@fal', 'gone@fal']), NOTHING)).toThrow(
      'no configured provider',
    );
  });

  it('are listed for the clearance before anything is asked of a price', () => {
    const [step] = planSteps(withFallbacks(['cheap@fal', 'gone@fal']), NOTHING, offerings);
    expect(step?.fallbacks.map(({ listingId }) => listingId)).toEqual(['gone@fal']);
  });
});

describe('a condition on the inputs', () => {
  const definition = pipeline(
    { key: 'a', operation: 'generate', model: 'cheap@fal', parameters: { prompt: 'x' } },
    {
      key: 'b',
      operation: 'recolor',
      model: 'studio-recolor@studio',
      parameters: { targetColor: { input: 'color' } },
      images: { image: { step: 'a' } },
      when: { input: 'recolor', compare: 'equals', value: true, otherwise: 'pass' },
    },
  );

  it('asks nothing of what is not wanted: neither inputs nor money', () => {
    const steps = resolve(definition, { ...NOTHING, values: { recolor: false } });
    expect(steps[1]).toMatchObject({
      reservedMicroUsd: 0n,
      dependsOn: ['a'],
      plan: { notWanted: true, passOn: { stepKey: 'a' } },
    });
    expect(() => resolve(definition, { ...NOTHING, values: { recolor: true } })).toThrow('inputs.color');
  });
});

describe('people', () => {
  it('work on one file, of one kind, and an item is taken from a list only', () => {
    const edit = { key: 'edit', operation: 'wait-for-edit' };
    const scene = { key: 'scene', operation: 'generate', model: 'studio-scene@studio' };
    expect(() => checkPipeline(pipeline(edit))).toThrow('No step is done by a model');
    expect(() => checkPipeline(pipeline(scene, edit))).toThrow('has nothing for a person to work on');
    expect(() =>
      checkPipeline(pipeline(scene, { ...edit, images: { a: { input: 'a' }, b: { input: 'b' } } })),
    ).toThrow('can have one file only');
    expect(() => checkPipeline(pipeline(scene, { ...edit, images: { a: { item: 'a' } } }))).toThrow(
      'has no list',
    );
  });

  it('hand on the kind that they are given', () => {
    const film = { key: 'film', operation: 'generate-video', model: 'sandbox-generator@sandbox' };
    const pick = { key: 'pick', operation: 'choose', media: { film: { kind: 'video', step: 'film' } } };
    const cut = {
      key: 'cut',
      operation: 'cut-out',
      model: 'studio-cut-out@studio',
      images: { image: { step: 'pick' } },
    };
    expect(() => checkPipeline(pipeline(film, pick, cut))).toThrow(
      'needs a picture as "image", but "pick" makes a video',
    );
  });
});

describe('the built-in pipelines', () => {
  it('are sound, and name listings that exist', () => {
    const listed = new Set((seed as { id: string }[]).map(({ id }) => id));
    for (const { name, definition } of BUILTIN_PIPELINES) {
      checkPipeline(pipelineDefinitionSchema.parse(definition));
      for (const step of definition.steps) {
        if (!('model' in step)) continue;
        const model = typeof step.model === 'string' ? step.model : step.model.default;
        expect([name, model, listed.has(model)]).toEqual([name, model, true]);
      }
    }
  });
});
