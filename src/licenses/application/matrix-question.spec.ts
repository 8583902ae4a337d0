import { describe, expect, it } from '@jest/globals';
import { type Tx } from '../../database/organization-tx.js';
import { type Lineage, type LineageInput } from '../domain/lineage.js';
import { type ListingId } from '../domain/listing.js';
import { lineageInputSchema } from '../domain/lineage.js';
import { decideMatrix } from '../domain/matrix.js';
import { runFactsSchema } from '../domain/run-facts.js';
import { seedListings } from '../registry/seed.js';
import { SMALL } from '../testing/case.js';
import { alternativesOf } from './matrix-question.js';
import { type PipelineLineage } from './pipeline-lineage.js';

const CONVERT = 'studio-convert@studio' as ListingId;
const FLUX = 'flux-1-schnell@self-hosted' as ListingId;
const base: Lineage = {
  components: ['s1', 's2'].map((stepKey) => ({ listingId: CONVERT, role: 'editor' as const, stepKey })),
  inputs: [{ goesInto: [CONVERT] } as unknown as LineageInput],
};

describe('an alternative with other models', () => {
  const goesInto = async (models: Record<string, ListingId>): Promise<unknown> => {
    const asked = [{ name: 'a', models }];
    const [one] = await alternativesOf({} as Tx, {} as PipelineLineage, { lineage: base }, asked);
    return one?.lineage.inputs[0]?.goesInto;
  };

  it('gives a picture to the model that takes the place of the one that had it', async () => {
    expect(await goesInto({})).toEqual([CONVERT]);
    expect(await goesInto({ s2: FLUX })).toEqual([CONVERT, FLUX]);
    expect(await goesInto({ s1: FLUX, s2: FLUX })).toEqual([FLUX]);
  });

  it('asks about feeding a model when one takes the place of a tool that may have the picture', async () => {
    const input = lineageInputSchema.parse({
      rightsBasis: 'owned',
      allowedUses: ['commercial'],
      aiInput: 'no',
      showsPeople: 'no',
      territory: 'worldwide',
      expiresAt: null,
      goesInto: [CONVERT],
    });
    const decisionWith = async (models: Record<string, ListingId>) => {
      const lineage = { ...base, inputs: [input] };
      const asked = [{ name: 'a', models }];
      const alternatives = await alternativesOf({} as Tx, {} as PipelineLineage, { lineage }, asked);
      const { audienceCountries, ...facts } = runFactsSchema.parse({
        ...SMALL,
        audienceCountries: ['US'],
      });
      expect(audienceCountries).toEqual(['US']);
      const audiences = [{ name: 'US', countries: ['US'] }];
      const question = { alternatives, audiences, purposes: ['commercial' as const], facts };
      return [...decideMatrix(question, seedListings())].map(({ result }) => result.decision);
    };
    expect(await decisionWith({})).toEqual(['allow']);
    expect(await decisionWith({ s2: FLUX })).toEqual(['deny']);
  });
});
