import { describe, expect, it } from '@jest/globals';
import { builtinOfferings, type Offering, Offerings } from './offering.js';
import { checkPipeline } from './check-pipeline.js';
import { pipelineDefinitionSchema } from './pipeline-definition.js';
import { planSteps } from './plan-steps.js';
import { resolveSteps, type RunInputs } from './resolve-run.js';
import { PriceBook } from '../registry/price-book.js';

const prices = new PriceBook();
const COMFY: Offering = {
  listingId: 'flux-1-dev@self-hosted',
  operation: 'generate',
  provider: 'comfyui',
  endpoint: 'gpu/styled',
  price: { family: 'free', source: 'own hardware', dateRead: '2026-11-22', verified: true },
  trainedModel: true,
  components: [{ listingId: 'brand-style@self-hosted', role: 'lora' }],
};
const offerings = new Offerings([
  ...builtinOfferings((provider, endpoint) => prices.find(provider, endpoint)),
  { ...COMFY, endpoint: 'gpu/plain', components: [] },
  COMFY,
]);
const SANDBOX = 'sandbox-generator@sandbox';
const NOTHING: RunInputs = { values: {}, images: {}, substitutes: {} };

function pipeline(...steps: object[]) {
  return pipelineDefinitionSchema.parse({ steps });
}
const film = { key: 'film', operation: 'generate-video', model: SANDBOX, parameters: { prompt: 'x' } };

describe('media between steps', () => {
  it('a step that wants a picture refuses the video of another step, in words', () => {
    const definition = pipeline(film, {
      key: 'cut',
      operation: 'cut-out',
      model: 'studio-cut-out@studio',
      images: { image: { step: 'film' } },
    });
    expect(() => checkPipeline(definition)).toThrow(
      'Step "cut" needs a picture as "image", but "film" makes a video.',
    );
  });

  it('a step that wants a video says so, waits for it, and gets it', () => {
    const definition = pipeline(film, {
      key: 'sound',
      operation: 'compose-music',
      model: SANDBOX,
      parameters: { prompt: 'x' },
      media: { clip: { kind: 'video', step: 'film' } },
    });
    const steps = resolveSteps(planSteps(definition, NOTHING, offerings), NOTHING, 'test', offerings);
    expect(steps[1]).toMatchObject({
      dependsOn: ['film'],
      images: { clip: { kind: 'step', stepKey: 'film', media: 'video' } },
    });
  });

  it('one name is not given twice', () => {
    const media = { image: { kind: 'video', input: 'clip' } };
    const images = { image: { input: 'photo' } };
    const definition = pipeline({ key: 'a', operation: 'animate', model: SANDBOX, images, media });
    expect(() => checkPipeline(definition)).toThrow('names "image" twice');
  });
});

describe('offerings', () => {
  const step = { key: 'a', operation: 'generate', model: 'flux-1-dev@self-hosted', parameters: {} };

  it('bring what runs along into the plan, where the step says which of them it is', () => {
    const [plain] = planSteps(pipeline(step), NOTHING, offerings);
    const [styled] = planSteps(pipeline({ ...step, endpoint: 'gpu/styled' }), NOTHING, offerings);
    expect(plain?.components).toEqual([]);
    expect(styled?.components).toEqual(COMFY.components);
  });

  it('are played by the sandbox with a test key, and the clearance is about the real thing all the same', () => {
    const planned = planSteps(pipeline({ ...step, endpoint: 'gpu/styled' }), NOTHING, offerings);
    expect(planned[0]?.components).toHaveLength(1);
    const [played] = resolveSteps(planned, NOTHING, 'test', offerings);
    expect(played).toMatchObject({
      provider: 'sandbox',
      endpoint: 'generate',
      components: [],
      reservedMicroUsd: 0n,
    });
  });

  it.each([
    ['hunyuan-image-3.0@fal', 'price_unknown'],
    ['gpt-image-1@openai', 'price_unknown'],
    ['nano-banana-pro@vertex', 'provider_not_configured'],
  ])('%s cannot be run: %s', (model, code) => {
    const planned = planSteps(pipeline({ ...step, model }), NOTHING, offerings);
    expect(() => resolveSteps(planned, NOTHING, 'live', offerings)).toThrow(
      expect.objectContaining({ code }),
    );
  });

  it('reserve for the pictures that go in', () => {
    const edit = {
      key: 'a',
      operation: 'edit',
      model: 'nano-banana@gemini-api',
      parameters: { prompt: 'x' },
      images: { image: { input: 'photo' } },
    };
    const inputs = { ...NOTHING, images: { photo: 'some-id' } };
    const [resolved] = resolveSteps(planSteps(pipeline(edit), inputs, offerings), inputs, 'live', offerings);
    // 4,096 tokens of output, 1,290 of the picture, one of text.
    expect(resolved?.reservedMicroUsd).toBe(123_268n);
  });
});
