import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { markingDuties } from '../registry/marking-duties.js';
import {
  type AssetObligation,
  type ManifestMark,
  obligationsOfAsset,
  obligationsSha256,
} from './asset-obligation.js';
import { type Obligation } from './finding.js';
import { type FurtherAct, type RunFacts, runFactsSchema } from './run-facts.js';
import { dutyQuestion, type WorkOrigin } from './work-facts.js';

const calendar = markingDuties();
const MADE_ON = '2026-11-23';
const GENERATED: WorkOrigin = { origin: 'step', digitalSourceType: 'trainedAlgorithmicMedia' };
const RESIZED: WorkOrigin = { origin: 'step', digitalSourceType: null };
const RENDERED: WorkOrigin = { origin: 'step', digitalSourceType: 'algorithmicMedia' };
const EDITED: WorkOrigin = { origin: 'edit', digitalSourceType: 'humanEdits' };
const UPLOADED: WorkOrigin = { origin: 'upload', digitalSourceType: null };

const facts = (audienceCountries: readonly string[] | 'worldwide', changes = {}): RunFacts =>
  runFactsSchema.parse({
    purpose: 'commercial',
    audienceCountries,
    organizationRevenueUsd: 1,
    campaignEnd: '2027-06-30',
    ...changes,
  });

const LABEL: Obligation = {
  kind: 'label-output',
  listingId: 'a@b',
  text: 'Say that the work is made by a machine.',
  due: 'on-publication',
  term: {
    id: 'label',
    kind: 'output-label-required',
    paraphrase: 'label it',
    clause: '5(c)',
    verified: 'secondary',
    source: { title: 'License', url: null, dateRead: '2026-11-20' },
  },
};

function owed(
  lineage: readonly WorkOrigin[],
  runs: readonly RunFacts[],
  more: Partial<Parameters<typeof obligationsOfAsset>[0]> & { mark?: ManifestMark } = {},
): readonly AssetObligation[] {
  const question = dutyQuestion(lineage, runs, MADE_ON);
  return obligationsOfAsset({
    cleared: [],
    calendar,
    question,
    mark: 'none',
    parents: [],
    waived: [],
    ...more,
  });
}
const keys = (found: readonly AssetObligation[]): string[] => found.map(({ key }) => key);
const laws = (found: readonly AssetObligation[]): string[] =>
  found.filter(({ source }) => source === 'law').map(({ where }) => where);

describe('what is asked about the duties of a work', () => {
  it('joins the audiences of all runs, and takes the latest end', () => {
    const question = dutyQuestion([], [facts(['US']), facts(['DE'], { campaignEnd: '2028-01-31' })], MADE_ON);
    expect(question.shownIn).toEqual(['DE', 'US']);
    expect(question.days).toEqual({ untilAtLeast: '2028-01-31', untilAtMost: '2028-01-31' });
    expect(dutyQuestion([], [facts(['US']), facts('worldwide')], MADE_ON).shownIn).toBe('worldwide');
    expect(dutyQuestion([], [], MADE_ON)).toMatchObject({
      shownIn: 'unknown',
      days: { untilAtLeast: MADE_ON, untilAtMost: null },
    });
  });

  it('does not believe that a work ended before it was made, and bounds nothing that nobody bounded', () => {
    const ended = dutyQuestion([], [facts(['US'], { campaignEnd: '2026-01-01' })], MADE_ON);
    expect(ended.days).toEqual({ untilAtLeast: MADE_ON, untilAtMost: MADE_ON });
    const silent = dutyQuestion([], [facts(['US']), facts(['US'], { campaignEnd: null })], MADE_ON);
    expect(silent.days).toEqual({ untilAtLeast: '2027-06-30', untilAtMost: null });
    const open = dutyQuestion([], [facts(['US'], { campaignEnd: 'open-ended' })], MADE_ON);
    expect(open.days).toEqual({ untilAtLeast: '9999-12-31', untilAtMost: null });
  });

  it.each<[string, WorkOrigin[], string, string]>([
    ['generated', [GENERATED], 'yes', 'yes'],
    ['resized after it was generated', [RESIZED, GENERATED], 'yes', 'yes'],
    ['edited by a person after it was generated', [EDITED, GENERATED], 'yes', 'yes'],
    ['rendered by a program', [RENDERED], 'no', 'yes'],
    ['resized after it was rendered', [RESIZED, RENDERED], 'no', 'yes'],
    ['rendered, then edited in a program that nobody knows', [EDITED, RENDERED], 'unknown', 'yes'],
    ['an upload', [UPLOADED], 'unknown', 'unknown'],
    ['resized after an upload', [RESIZED, UPLOADED], 'unknown', 'unknown'],
    ['an upload that was captured', [{ origin: 'upload', digitalSourceType: 'digitalCapture' }], 'no', 'no'],
    [
      'a fake of a capture by a person',
      [{ origin: 'edit', digitalSourceType: 'digitalCapture' }],
      'unknown',
      'unknown',
    ],
  ])('knows of %s whether AI and whether an algorithm made it', (_what, lineage, aiMade, algorithmMade) => {
    expect(dutyQuestion(lineage, [], MADE_ON).content).toMatchObject({ aiMade, algorithmMade });
  });
});

describe('the obligations of an asset', () => {
  it('are those of the licenses, with what was not verified, then the laws of the audience', () => {
    const found = owed([GENERATED], [facts(['US', 'DE', 'CN', 'KR', 'IN'])], {
      cleared: [{ clearanceId: 'clr_1', obligations: [LABEL, LABEL], furtherActs: [] }],
    });
    expect(found[0]).toMatchObject({
      source: 'license',
      kind: 'label-output',
      applies: 'yes',
      due: 'on-publication',
      verified: false,
      notVerified: 'The license itself was not read; somebody reports the term.',
      citation: { section: '5(c)', dateRead: '2026-11-20' },
      clearanceId: 'clr_1',
    });
    expect(found.filter(({ source }) => source === 'license')).toHaveLength(1);
    expect([...new Set(laws(found))]).toEqual([
      'China',
      'European Union',
      'India',
      'South Korea',
      'California',
      'New York',
    ]);
    expect(found.every(({ blocking }) => !blocking)).toBe(true);
  });

  it('for handing on a model apply to who does that; as long as nobody stated it, they may', () => {
    const notices: Obligation = { ...LABEL, kind: 'keep-notices', due: 'on-distribution-of-model' };
    const answer = (furtherActs: readonly FurtherAct[]) =>
      owed([RENDERED], [facts(['CH'])], {
        cleared: [{ clearanceId: 'clr_1', obligations: [notices], furtherActs }],
      }).map(({ applies, findOut }) => [applies, findOut.length]);
    expect(answer([])).toEqual([['may_apply', 1]]);
    expect(answer(['redistribute-outputs'])).toEqual([['may_apply', 1]]);
    expect(answer(['distribute-weights'])).toEqual([['yes', 0]]);
    expect(answer(['distribute-derivatives'])).toEqual([['yes', 0]]);
    const decisions = [[], ['distribute-weights'], []] as const;
    const cleared = decisions.map((furtherActs, i) => ({
      clearanceId: `clr_${i}`,
      obligations: [notices],
      furtherActs,
    }));
    const found = owed([RENDERED], [facts(['CH'])], { cleared });
    expect(found.map(({ applies, clearanceId }) => [applies, clearanceId])).toEqual([['yes', 'clr_1']]);
  });

  it('say of every law by which calendar, and what of it nobody verified', () => {
    for (const one of owed([GENERATED], [facts('worldwide')])) {
      expect(one.calendar).toEqual({ sha256: calendar.sha256, readOn: calendar.readOn });
      expect(one.notVerified === null).toBe(one.verified && one.dateVerified);
      if (!one.dateVerified) expect(one.notVerified).toMatch(/^Date not verified: /);
    }
  });

  const proofs = (mark: ManifestMark) =>
    owed([GENERATED], [facts(['DE', 'CN', 'US'])], { mark }).flatMap(({ key, systemProof }) =>
      systemProof ? [[key, systemProof.extent]] : [],
    );
  it('are proved by the manifest of the very file only, and only as far as the law goes with it', () => {
    expect(proofs('none')).toEqual([]);
    expect(proofs('own')).toEqual([
      ['law:eu-ai-act-50-2-marking', 'whole'],
      ['law:eu-ai-act-50-2-quality', 'part'],
      ['law:us-ca-ai-transparency-latent', 'part'],
    ]);
    expect(proofs('ancestor').map(([, extent]) => extent)).toEqual(['part', 'part', 'part']);
  });

  const parentOf = (parents: readonly AssetObligation[]) =>
    parents.map((obligation) => ({ assetId: 'ast_parent', obligation }));

  it('pass from parents to children, and what was proved for the parent is owed again', () => {
    const parent = owed([GENERATED], [facts(['DE'])], { mark: 'own' });
    const child = owed([EDITED, GENERATED], [facts(['DE'])], { mark: 'ancestor', parents: parentOf(parent) });
    expect(keys(child)).toEqual(keys(parent));
    expect(child.map(({ inheritedFrom }) => inheritedFrom)).toEqual(parent.map(() => 'ast_parent'));
    expect(child.some(({ systemProof }) => systemProof?.extent === 'whole')).toBe(false);
  });

  it('of a parent that came out of older data stay; laws of everywhere end once somebody said where', () => {
    const upload = owed([UPLOADED], []);
    expect(upload.length).toBeGreaterThan(15);
    expect(upload.every(({ applies, placeKnown }) => applies === 'may_apply' && !placeKnown)).toBe(true);
    const old = { ...(upload[0] as AssetObligation), key: 'law:of-an-older-calendar', placeKnown: true };
    const child = owed([RESIZED, UPLOADED], [facts(['DE'])], { parents: parentOf([...upload, old]) });
    expect([...new Set(laws(child))]).toEqual(['European Union', 'China']);
    expect(child.at(-1)).toMatchObject({ key: old.key, inheritedFrom: 'ast_parent', systemProof: null });
    const edited = owed([EDITED, UPLOADED], [], { parents: parentOf(upload) });
    expect(keys(edited)).toEqual(keys(upload));
  });

  it('grow with the lineage and the audience, and never shrink', () => {
    const origins = fc.constantFrom(GENERATED, RESIZED, RENDERED, EDITED, UPLOADED);
    const audience = fc.subarray(['DE', 'US', 'CN', 'KR', 'IN', 'ES', 'CH'], { minLength: 1 });
    const arbitrary = fc.tuple(
      fc.array(origins, { minLength: 1, maxLength: 4 }),
      fc.array(audience, { minLength: 1, maxLength: 3 }),
    );
    fc.assert(
      fc.property(arbitrary, arbitrary, ([files, runs], [moreFiles, moreRuns]) => {
        const before = owed(
          files,
          runs.map((one) => facts(one)),
        );
        const after = owed(
          [...files, ...moreFiles],
          [...runs, ...moreRuns].map((one) => facts(one)),
        );
        // A file that nobody knows is weaker knowledge, but a sure answer stays sure.
        for (const one of before) {
          const same = after.find(({ key }) => key === one.key);
          expect([one.key, same !== undefined]).toEqual([one.key, true]);
          if (one.applies === 'yes') expect(same?.applies).toBe('yes');
        }
      }),
      { numRuns: 100 },
    );
  });

  it('are named together by one hash that every change changes', () => {
    const rows = ['a', 'b'].map((id) => ({ id, bytes: Buffer.from(id) }));
    const hash = obligationsSha256(rows);
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
    expect(obligationsSha256([...rows].reverse())).not.toBe(hash);
    expect(obligationsSha256(rows.slice(1))).not.toBe(hash);
    expect(obligationsSha256([])).not.toBe(hash);
  });
});

describe('a decision that people accepted until a day', () => {
  const waived = (campaignEnd: RunFacts['campaignEnd'], until: string | null) =>
    owed([GENERATED], [facts(['US'])], {
      waived: [
        {
          clearanceId: 'clr_2',
          rootId: 'clr_1',
          campaignEnd,
          cover: until === null ? undefined : { until: new Date(until) },
          now: new Date('2026-11-23T10:00:00Z'),
        },
      ],
    }).filter(({ kind }) => kind === 'stop-before');

  it('is to be stopped or accepted anew by then, where the campaign is longer', () => {
    expect(waived('2027-06-30', '2027-03-01T00:00:00Z')).toMatchObject([
      { key: 'waiver:clr_1', applies: 'yes', until: '2027-02-28', clearanceId: 'clr_2', findOut: [] },
    ]);
    expect(waived('open-ended', '2099-01-01T00:00:00Z')).toMatchObject([{ applies: 'yes' }]);
  });

  it('is a question where nobody said how long the campaign is, and none where it ends before', () => {
    const [open] = waived(null, '2027-03-01T00:00:00Z');
    expect(open).toMatchObject({ applies: 'may_apply', until: '2027-02-28' });
    expect(open?.findOut.join(' ')).toContain('still shown after 2027-02-28');
    expect(waived('2027-02-28', '2027-03-01T00:00:00Z')).toEqual([]);
  });

  it('and that nobody accepts any more is not to be shown at all', () => {
    expect(waived('2026-11-24', null)).toMatchObject([{ applies: 'yes', until: '2026-11-22' }]);
  });

  it('is never inherited: what counts is who accepts it now', () => {
    const [parent] = waived('open-ended', '2099-01-01T00:00:00Z');
    if (parent === undefined) throw new Error('none');
    const child = owed([EDITED], [], { parents: [{ assetId: 'ast_1', obligation: parent }] });
    expect(child.filter(({ kind }) => kind === 'stop-before')).toEqual([]);
  });
});
