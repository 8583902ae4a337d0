import { describe, expect, it } from '@jest/globals';
import { type Tx } from '../../database/organization-tx.js';
import { newId, publicId } from '../../shared/ids.js';
import { decide } from '../domain/engine.js';
import { ENGINE_VERSION } from '../domain/engine-version.js';
import { type LineageInput, lineageInputSchema, lineageSchema } from '../domain/lineage.js';
import { runFactsSchema } from '../domain/run-facts.js';
import { seedListings } from '../registry/seed.js';
import { CompleteLineage, type RecordedOrigin } from './complete-lineage.js';

const UPLOAD = newId();
const MADE_OF_IT = newId();
const MADE_OF_NOTHING = newId();
const GOOD = {
  rightsBasis: 'owned',
  allowedUses: ['commercial'],
  aiInput: 'yes',
  territory: 'worldwide',
  expiresAt: null,
  showsPeople: 'no',
} as const;
const RECORDED = lineageInputSchema.parse({
  ...GOOD,
  rightsBasis: 'none',
  assetId: publicId('asset', UPLOAD),
});

const origin = (received: readonly LineageInput[]): RecordedOrigin => ({
  fileSignals: [],
  unreadPlaces: [],
  projectIds: [],
  received,
});
const records = new Map([
  [UPLOAD, origin([RECORDED])],
  [MADE_OF_IT, origin([RECORDED])],
  [MADE_OF_NOTHING, origin([])],
]);
/** The port is answered from memory, so no statement is sent. */
const complete = new CompleteLineage({ of: (_tx, id) => Promise.resolve(records.get(id)) });

async function answerTo(...inputs: object[]) {
  const asked = lineageSchema.parse({
    components: [{ listingId: 'flux-1-schnell@self-hosted', role: 'generator', stepKey: 'generate' }],
    inputs: inputs.map((changes) => ({ ...GOOD, ...changes })),
  });
  const { lineage } = await complete.complete({} as Tx, asked);
  const facts = runFactsSchema.parse({
    purpose: 'commercial',
    audienceCountries: ['US'],
    organizationRevenueUsd: 1,
  });
  return decide({ lineage, facts, listings: seedListings(), engineVersion: ENGINE_VERSION }).decision;
}
const asset = (id: string, changes: object = {}) => ({ assetId: publicId('asset', id), ...changes });

describe('a question about an asset of the organization', () => {
  it.each([UPLOAD, MADE_OF_IT])(
    'is answered by the rights that were declared for what came in',
    async (id) => {
      expect(await answerTo(asset(id))).toBe('deny');
      expect(await answerTo(asset(id, { rightsBasis: 'produced-here' }))).toBe('deny');
    },
  );

  it('is answered as it was asked where nothing came in', async () => {
    expect(await answerTo(asset(MADE_OF_NOTHING, { rightsBasis: 'produced-here' }))).toBe('allow');
  });

  it('holds the same declaration once', async () => {
    const inputs = [{ ...RECORDED, fileSignals: [], unreadPlaces: [] }];
    records.set(UPLOAD, origin(inputs));
    const { lineage } = await complete.complete({} as Tx, { components: [], inputs });
    expect(lineage.inputs).toHaveLength(1);
    records.set(UPLOAD, origin([RECORDED]));
  });

  it('is refused where too much stands behind it', async () => {
    const many = Array.from({ length: 11 }, () => asset(UPLOAD));
    const crowd = Array.from({ length: 10 }, (_, at) => ({ ...RECORDED, expiresAt: `2027-01-${10 + at}` }));
    records.set(UPLOAD, origin(crowd));
    await expect(answerTo(...many)).rejects.toMatchObject({ code: 'pipeline_too_large' });
    records.set(UPLOAD, origin([RECORDED]));
  });
});

describe('what is said to be made here and is not known here', () => {
  it('goes to a person, whoever is shown', async () => {
    const said = { rightsBasis: 'produced-here', showsPeople: 'yes' };
    expect(await answerTo(said)).toBe('review');
    expect(await answerTo(asset(newId(), said))).toBe('review');
  });
});
