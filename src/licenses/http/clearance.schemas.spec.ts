import { describe, expect, it } from '@jest/globals';
import { askClearanceSchema } from './clearance.schemas.js';

const FACTS = { purpose: 'commercial', organizationRevenueUsd: 1 };
const COMPONENT = { listingId: 'a@b', role: 'generator', stepKey: 's' };
const RIGHTS = {
  rightsBasis: 'owned',
  allowedUses: ['commercial'],
  aiInput: 'yes',
  territory: 'worldwide',
  expiresAt: null,
};
const SIGNAL = { origin: 'iptc', act: 'ai-training', use: 'notAllowed' };

function problems(matrix: Record<string, unknown>): string[] {
  const result = askClearanceSchema.safeParse({ matrix: { facts: FACTS, ...matrix } });
  return result.success ? [] : result.error.issues.map(({ message }) => message);
}
const alternatives = (count: number, lineage?: unknown) =>
  Array.from({ length: count }, (_, at) => ({ name: `a${at}`, ...(lineage ? { lineage } : {}) }));
const audiences = (count: number) =>
  Array.from({ length: count }, (_, at) => ({ name: `x${at}`, countries: ['US'] }));
const components = (count: number) =>
  Array.from({ length: count }, (_, at) => ({ ...COMPONENT, stepKey: `s${at}` }));

describe('the size of a matrix', () => {
  it('is a thousand cells', () => {
    expect(problems({ pipeline: 'p', alternatives: alternatives(10), audiences: audiences(100) })).toEqual(
      [],
    );
    expect(problems({ pipeline: 'p', alternatives: alternatives(11), audiences: audiences(100) })).toEqual(
      [expect.stringContaining('1100 cells'), expect.stringContaining('44000 components')].slice(0, 1),
    );
  });

  it('counts components, inputs and signals of all cells, also where each cell is small', () => {
    const large = { components: components(200) };
    expect(problems({ alternatives: alternatives(5, large), audiences: audiences(100) })).toEqual([]);
    expect(problems({ alternatives: alternatives(6, large), audiences: audiences(100) })).toEqual([
      expect.stringContaining('120000 components, inputs, releases and signals'),
    ]);
    const input = { ...RIGHTS, fileSignals: Array.from({ length: 40 }, () => SIGNAL) };
    const signaled = { components: [COMPONENT], inputs: Array.from({ length: 100 }, () => input) };
    expect(problems({ alternatives: alternatives(1, signaled), audiences: audiences(24) })).toEqual([]);
    expect(problems({ alternatives: alternatives(1, signaled), audiences: audiences(25) })).toEqual([
      expect.stringContaining('102525 components, inputs, releases and signals'),
    ]);
  });

  it('counts releases, and what inputs, releases and components list', () => {
    const partsOf = (input: Record<string, unknown>, component: Record<string, unknown> = {}) => {
      const lineage = {
        components: [{ ...COMPONENT, ...component }],
        inputs: Array.from({ length: 99 }, () => ({ ...RIGHTS, ...input })),
      };
      const [problem = ''] = problems({
        alternatives: alternatives(1, lineage),
        audiences: audiences(1_000),
      });
      return Number(/^has (\d+) components/.exec(problem)?.[1] ?? 0) / 1_000;
    };
    expect(partsOf({})).toBe(0);
    const release = { reference: 'r', coversAiAlteration: 'yes', expiresAt: null };
    expect(partsOf({ releases: Array.from({ length: 50 }, () => release) })).toBe(1 + 99 * 51);
    const places = ['US', 'DE', 'FR', 'IT', 'ES', 'PT', 'NL', 'BE', 'AT', 'PL'];
    expect(partsOf({ releases: [{ ...release, territory: places }] })).toBe(1 + 99 * 3);
    expect(partsOf({ territory: places })).toBe(1 + 99 * 2);
    expect(partsOf({ goesInto: Array.from({ length: 20 }, () => 'a@b') })).toBe(1 + 99 * 3);
    expect(partsOf({ territory: places }, { optionalComponents: { 'c@d': 'yes' } })).toBe(2 + 99 * 2);
  });

  it('counts assets, each once', () => {
    const lineage = (from: number) => ({
      components: [COMPONENT],
      inputs: Array.from({ length: 100 }, (_, at) => ({ ...RIGHTS, assetId: `asset ${from + at}` })),
    });
    const with500 = Array.from({ length: 5 }, (_, at) => ({ name: `a${at}`, lineage: lineage(at * 100) }));
    expect(problems({ alternatives: with500, audiences: audiences(1) })).toEqual([]);
    const again = { name: 'again', lineage: lineage(0) };
    expect(problems({ alternatives: [...with500, again], audiences: audiences(1) })).toEqual([]);
    const more = { name: 'more', lineage: lineage(401) };
    expect(problems({ alternatives: [...with500, more], audiences: audiences(1) })).toEqual([
      expect.stringContaining('501 assets'),
    ]);
  });
});

describe('a question', () => {
  const ask = (facts: Record<string, unknown>, component: Record<string, unknown> = {}) =>
    askClearanceSchema.safeParse({
      lineage: { components: [{ ...COMPONENT, ...component }] },
      facts: { purpose: 'commercial', audienceCountries: ['US'], organizationRevenueUsd: 1, ...facts },
    }).success;

  it.each<[string, Record<string, unknown>]>([
    ['no audience', { audienceCountries: [] }],
    ['a country that does not exist', { audienceCountries: ['XX'] }],
    ['a country in lower case', { audienceCountries: ['us'] }],
    ['a part of a country that does not exist', { audienceCountries: ['US-XX'] }],
    ['a part of a country of which no parts are known', { audienceCountries: ['FR-75'] }],
    ['a negative revenue', { organizationRevenueUsd: -1 }],
    ['a fraction of a dollar', { organizationRevenueUsd: 0.5 }],
    ['a revenue beyond exact numbers', { organizationRevenueUsd: 2 ** 53 }],
    ['a revenue in words', { organizationRevenueUsd: '1000' }],
    ['a revenue in another currency', { organizationRevenueEur: 1 }],
    ['an end before the beginning', { campaignStart: '2026-12-02', campaignEnd: '2026-12-01' }],
    ['a day that does not exist', { campaignEnd: '2026-02-30' }],
    [
      'more with affiliates left out than in',
      { organizationRevenueUsd: 2, organizationRevenueWithAffiliatesUsd: 1 },
    ],
  ])('is refused: %s', (_what, facts) => {
    expect(ask(facts)).toBe(false);
  });

  it('names listings by their ids, and takes no other spelling for one', () => {
    expect(ask({})).toBe(true);
    for (const listingId of ['A@b', 'a@B', ' a@b', 'a@b ', 'a', 'fal-ai/flux/schnell', 'a@b@c', 'а@b'])
      expect(ask({}, { listingId })).toBe(false);
  });

  it('takes a part of a country, beside countries', () => {
    expect(ask({ audienceCountries: ['US-CA', 'DE', 'GB-SCT'] })).toBe(true);
  });
});

describe('an asset that a question names', () => {
  const asked = (assetId: string) => {
    const lineage = { components: [COMPONENT], inputs: [{ ...RIGHTS, assetId }] };
    const facts = { ...FACTS, audienceCountries: ['US'] };
    const inMatrix = { facts: FACTS, lineage, alternatives: alternatives(1), audiences: audiences(1) };
    const inAlternative = { ...inMatrix, lineage: undefined, alternatives: alternatives(1, lineage) };
    return [{ lineage, facts }, { matrix: inMatrix }, { matrix: inAlternative }].map(
      (body) => askClearanceSchema.safeParse(body).success,
    );
  };
  const id = '01a22e30285b75e18e2e8377ee259081';

  it('is spelled as its id was given out; other keys are of the person who asks', () => {
    expect(asked(`ast_${id}`)).toEqual([true, true, true]);
    expect(asked('DAM 4711')).toEqual([true, true, true]);
    for (const wrong of [`AST_${id.toUpperCase()}`, `ast_${id.toUpperCase()}`, ` ast_${id}`, 'ast_1'])
      expect(asked(wrong)).toEqual([false, false, false]);
  });
});
