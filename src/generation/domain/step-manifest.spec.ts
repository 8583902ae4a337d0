import { describe, expect, it } from '@jest/globals';
import { checkManifestPlan } from '../../provenance/domain/manifest-rules.js';
import { DEFAULT_MANIFEST_SETTINGS } from '../../provenance/domain/manifest-settings.js';
import { OPERATIONS } from './operation.js';
import { type StepFacts, type StepImage, stepManifest } from './step-manifest.js';

const ID = '019abc00-0000-7000-8000-000000000001';
const picture: StepImage = {
  assetId: ID,
  path: '/picture.png',
  mediaType: 'image/png',
  title: 'Earlier',
  sourceTypes: ['algorithmicMedia'],
  reserves: false,
};

function facts(step: object, images: StepFacts['images'], trainedModel: boolean): StepFacts {
  return {
    run: { id: ID, mode: 'test', pipelineName: 'product-shot' },
    step: { id: ID, key: 'one', claims: {}, components: [], alternative: 0, ...step },
    trainedModel,
    images,
    isFinal: true,
    context: { organizationName: 'Acme', settings: DEFAULT_MANIFEST_SETTINGS, logOrigin: 'log' },
    clearance: { id: 'clr', decision: 'allow', rulesVersion: '2', inputSha256: '', termsSha256: '' },
    submitted: undefined,
    models: [],
    prompt: undefined,
    promptWriter: undefined,
    organization: undefined,
    now: new Date('2026-11-22T10:00:00.000Z'),
  } as unknown as StepFacts;
}

describe('the manifest of a step', () => {
  const given = {
    nothing: {},
    'its main picture': { image: picture },
    'another picture': { style: picture },
  };
  it.each(
    OPERATIONS.flatMap((operation) =>
      Object.entries(given).flatMap(([what, images]) =>
        (['sandbox', 'studio', 'fal'] as const).map((provider) => ({ operation, what, images, provider })),
      ),
    ),
  )('may be written for $operation by $provider, given $what', ({ operation, images, provider }) => {
    const step = { operation, provider, listingId: 'x@y', endpoint: 'x' };
    // Found here, not after a vendor was paid: a plan that breaks the rules is never signed.
    const { plan } = stepManifest(facts(step, images, provider === 'fal'));
    expect(() => checkManifestPlan(plan)).not.toThrow();
  });
});
