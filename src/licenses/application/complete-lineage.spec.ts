import { describe, expect, it } from '@jest/globals';
import { type Tx } from '../../database/organization-tx.js';
import { newId, publicId } from '../../shared/ids.js';
import { decide } from '../domain/engine.js';
import { ENGINE_VERSION } from '../domain/engine-version.js';
import { type LineageComponent, lineageInputSchema, lineageSchema } from '../domain/lineage.js';
import { MADE_HERE, type RecordedInput } from '../domain/lineage-parts.js';
import { runFactsSchema } from '../domain/run-facts.js';
import { seedListings } from '../registry/seed.js';
import { type AssetOrigin, CompleteLineage } from './complete-lineage.js';

const UPLOAD = newId();
const MADE_OF_IT = newId();
const MADE_OF_NOTHING = newId();
const MADE_BY_MANY = newId();
const GOOD = {
  rightsBasis: 'owned',
  allowedUses: ['commercial'],
  aiInput: 'yes',
  territory: 'worldwide',
  expiresAt: null,
  showsPeople: 'no',
} as const;
const OPEN = 'flux-1-schnell@self-hosted';
const NON_COMMERCIAL = 'flux-1-dev@self-hosted';
const CROP = 'studio-crop@studio';

const recorded = (changes: object = {}, goesInto: string[] = []): RecordedInput => ({
  ...lineageInputSchema.parse({ ...GOOD, ...changes }),
  assetId: publicId('asset', UPLOAD),
  goesInto,
});
const made = (listingId: string, at = 0): LineageComponent => ({
  listingId,
  role: 'generator',
  stepKey: `before-${at}`,
});
const origin = (inputs: RecordedInput[], components: LineageComponent[] = []): AssetOrigin => ({
  components,
  inputs,
  projectIds: [],
});
const FORBIDDEN = recorded({ rightsBasis: 'none' });

/** The port is answered from memory, so no statement is sent. */
function completing(records: Record<string, AssetOrigin>) {
  const complete = new CompleteLineage({ of: (_tx, id) => Promise.resolve(records[id]) });
  return async (inputs: readonly object[], listingId = OPEN) => {
    const asked = lineageSchema.parse({
      components: [{ listingId, role: 'generator', stepKey: 'generate' }],
      inputs: inputs.map((changes) => ({ ...GOOD, ...changes })),
    });
    const { lineage } = await complete.complete({} as Tx, asked);
    const facts = runFactsSchema.parse({
      purpose: 'commercial',
      audienceCountries: ['US'],
      organizationRevenueUsd: 1,
    });
    const { decision } = decide({ lineage, facts, listings: seedListings(), engineVersion: ENGINE_VERSION });
    return { lineage, decision };
  };
}
const asset = (id: string, changes: object = {}) => ({ assetId: publicId('asset', id), ...changes });
const answer = completing({
  [UPLOAD]: origin([FORBIDDEN]),
  [MADE_OF_IT]: origin([FORBIDDEN]),
  [MADE_OF_NOTHING]: origin([], [made(NON_COMMERCIAL)]),
});

describe('a question about an asset of the organization', () => {
  it.each([UPLOAD, MADE_OF_IT])(
    'is answered by the rights that were declared for what came in',
    async (id) => {
      expect(await answer([asset(id)])).toMatchObject({ decision: 'deny' });
      expect(await answer([asset(id, MADE_HERE)])).toMatchObject({ decision: 'deny' });
    },
  );

  it('is answered by the models that made it, too', async () => {
    expect(await answer([])).toMatchObject({ decision: 'allow' });
    const { decision, lineage } = await answer([asset(MADE_OF_NOTHING)]);
    expect(decision).toBe('deny');
    expect(lineage.components).toEqual(expect.arrayContaining([made(NON_COMMERCIAL)]));
  });

  it('is answered as it was asked where nothing came in', async () => {
    const free = completing({ [MADE_OF_NOTHING]: origin([]) });
    expect(await free([asset(MADE_OF_NOTHING, MADE_HERE)])).toMatchObject({ decision: 'allow' });
  });

  it('holds the same declaration once, and what is declared otherwise beside it', async () => {
    const known = completing({ [UPLOAD]: origin([recorded()]) });
    expect((await known([asset(UPLOAD)])).lineage.inputs).toEqual([recorded({}, [OPEN])]);
    const other = await known([asset(UPLOAD, { aiInput: 'no' })]);
    expect(other.lineage.inputs).toMatchObject([{ aiInput: 'no' }, { aiInput: 'yes' }]);
    const signal = { origin: 'tdmrep', act: 'data-mining', use: 'notAllowed', constraint: null };
    const more = await known([asset(UPLOAD, { fileSignals: [signal] })]);
    expect(more.lineage.inputs).toHaveLength(2);
  });

  it('holds what stands behind two inputs once, for the models of both', async () => {
    const known = completing({
      [MADE_OF_IT]: origin([recorded({}, [CROP])], [made(CROP)]),
      [UPLOAD]: origin([recorded()]),
    });
    const { lineage } = await known([asset(MADE_OF_IT, MADE_HERE), asset(UPLOAD)]);
    expect(lineage.inputs).toEqual([recorded({}, [OPEN, CROP])]);
  });

  it('asks of the models behind one input only about what they got', async () => {
    const known = completing({ [MADE_OF_NOTHING]: origin([], [made(OPEN)]) });
    const guarded = { aiInput: 'no' };
    expect(await known([asset(MADE_OF_NOTHING, MADE_HERE), guarded], CROP)).toMatchObject({
      decision: 'allow',
    });
    const got = completing({ [MADE_OF_IT]: origin([recorded(guarded, [OPEN])], [made(OPEN)]) });
    expect(await got([asset(MADE_OF_IT, { goesInto: [CROP] })], CROP)).toMatchObject({ decision: 'deny' });
    expect(await got([asset(MADE_OF_IT, { goesInto: [] })], CROP)).toMatchObject({ decision: 'deny' });
  });

  it.each([
    [
      'models',
      origin(
        [],
        Array.from({ length: 200 }, (_, at) => made(OPEN, at)),
      ),
    ],
    [
      'received files',
      origin(Array.from({ length: 101 }, () => ({ ...recorded(), assetId: publicId('asset', newId()) }))),
    ],
  ])('is refused where too many %s stand behind it', async (_what, crowd) => {
    const refused = completing({ [MADE_BY_MANY]: crowd })([asset(MADE_BY_MANY)]);
    await expect(refused).rejects.toMatchObject({ code: 'pipeline_too_large' });
  });
});

describe('what is said to be made here and is not known here', () => {
  it('goes to a person, whoever is shown', async () => {
    const said = { rightsBasis: 'produced-here', showsPeople: 'yes' };
    expect(await answer([said])).toMatchObject({ decision: 'review' });
    expect(await answer([asset(newId(), said)])).toMatchObject({ decision: 'review' });
  });
});
