import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { listingsThatGet, listingsThatGot, type MadeAsset } from './picture-flow.js';
import { type PlannedStep } from './plan-steps.js';
import { type RunInputs } from './run-inputs.js';

const PHOTO = 'photo-asset';

interface Given {
  readonly steps: readonly PlannedStep[];
  readonly inputs: RunInputs;
}

/** Steps take images from earlier steps, from the photograph or from another one; some are replaced by an asset. */
const given: fc.Arbitrary<Given> = fc
  .array(
    fc.record({
      sources: fc.uniqueArray(fc.oneof(fc.nat(6), fc.constantFrom('photo', 'other')), { maxLength: 3 }),
      substitute: fc.constantFrom(undefined, undefined, undefined, PHOTO, 'other-asset'),
    }),
    { minLength: 1, maxLength: 7 },
  )
  .map((drawn) => ({
    steps: drawn.map(({ sources, substitute }, i) => {
      const usable = sources.filter((source) => typeof source === 'string' || source < i);
      const images = usable.map((source, n) => {
        const from = typeof source === 'string' ? { input: source } : { step: `s${source}` };
        return [`image${n}`, from] as const;
      });
      const definition = { key: `s${i}`, operation: 'convert', images: Object.fromEntries(images) };
      return {
        definition,
        listingId: `m${i}@x`,
        substituteAssetId: substitute,
        fallbacks: [],
      } as unknown as PlannedStep;
    }),
    inputs: {
      values: {},
      images: { photo: PHOTO, other: 'other-asset' },
      substitutes: Object.fromEntries(
        drawn.flatMap(({ substitute }, i) => (substitute === undefined ? [] : [[`s${i}`, substitute]])),
      ),
    },
  }));

/** The definition, as slow as it likes: does the output of this step hold the photograph? */
function holds({ steps }: Given, key: string): boolean {
  const step = steps.find(({ definition }) => definition.key === key);
  if (!step) return false;
  if (step.substituteAssetId !== undefined) return step.substituteAssetId === PHOTO;
  return gets({ steps } as Given, step);
}

function gets(all: Given, { definition }: PlannedStep): boolean {
  return Object.values(definition.images).some((source) =>
    'step' in source ? holds(all, source.step) : ('input' in source ? source.input : '') === 'photo',
  );
}

describe('where a picture goes', () => {
  it('every step that gets it on any way, and no other', () => {
    fc.assert(
      fc.property(given, (all) => {
        const expected = all.steps.filter((step) => step.substituteAssetId === undefined && gets(all, step));
        expect([...listingsThatGet(PHOTO, all.steps, all.inputs)].sort()).toEqual(
          expected.map(({ listingId }) => listingId).sort(),
        );
      }),
      { numRuns: 500 },
    );
  });

  it('in what was made already: on every way down, over edits of people, never beside it', () => {
    const made = (id: string, parents: string[], listingId?: string): MadeAsset => ({
      id,
      parents: parents.map((assetId) => ({ assetId })),
      listingId,
    });
    const lineage = [
      made('final', ['edit', 'generated'], 'upscale@x'),
      made('edit', ['crop']),
      made('crop', ['photo'], 'crop@x'),
      made('generated', ['other'], 'model@x'),
      made('photo', []),
      made('other', []),
    ];
    expect([...listingsThatGot('photo', lineage)].sort()).toEqual(['crop@x', 'upscale@x']);
    expect([...listingsThatGot('other', lineage)].sort()).toEqual(['model@x', 'upscale@x']);
    expect([...listingsThatGot('final', lineage)]).toEqual([]);
  });
});
