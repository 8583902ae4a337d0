import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { markingDuties } from '../registry/marking-duties.js';
import { COUNTRIES } from './countries.js';
import {
  type DueDuty,
  dueDuties,
  type DutyQuestion,
  OPEN_END,
  type ShownIn,
  type WorkContent,
} from './due-duties.js';
import { type MarkingDuty } from './marking-duty.js';
import { countryOf, SUBDIVISIONS } from './subdivisions.js';
import { THREE_VALUES, type ThreeValued } from './three-valued.js';

const { duties } = markingDuties();

const AI: WorkContent = {
  medium: 'image',
  aiMade: 'yes',
  algorithmMade: 'unknown',
  realistic: 'unknown',
  resemblesExisting: 'unknown',
  syntheticPerformer: 'unknown',
  advertising: 'unknown',
};
const NOT_AI: WorkContent = { ...AI, aiMade: 'no', algorithmMade: 'no' };
const RENDERED: WorkContent = { ...AI, aiMade: 'no', algorithmMade: 'yes' };
const UNKNOWN: WorkContent = { ...AI, aiMade: 'unknown' };
const DEEP_FAKE: WorkContent = { ...AI, realistic: 'yes', resemblesExisting: 'yes' };
const INVENTED: WorkContent = { ...AI, realistic: 'yes', resemblesExisting: 'no' };
const CARTOON: WorkContent = { ...AI, realistic: 'no', resemblesExisting: 'no', syntheticPerformer: 'no' };
const PERFORMER: WorkContent = { ...AI, syntheticPerformer: 'yes', advertising: 'yes' };

type Until = string | readonly [string, string | null];
/** Shown on one day, until a day, or from a day to nobody knows when. */
function ask(shownIn: ShownIn, until: Until, content: WorkContent = AI, roles = {}): DutyQuestion {
  const [untilAtLeast, untilAtMost] = typeof until === 'string' ? [until, until] : until;
  return {
    shownIn,
    days: { untilAtLeast, untilAtMost },
    content,
    roles: { provider: 'unknown', deployer: 'yes', platform: 'unknown', ...roles },
  };
}

/** `+id` applies, `?id` may apply. */
const shown = (found: readonly DueDuty[]): string[] =>
  found.map(({ duty, applies }) => `${applies === 'yes' ? '+' : '?'}${duty.id}`);

const EU = ['?eu-ai-act-50-2-marking', '?eu-ai-act-50-2-quality', '?eu-ai-act-50-4-deep-fake'];
const CN = [
  '?cn-distribution-platform',
  '?cn-explicit-label',
  '?cn-implicit-label',
  '+cn-publisher-declaration',
];
const IN = ['?in-it-rules-declaration', '?in-it-rules-label', '?in-it-rules-metadata'];
const KR = ['?kr-ai-basic-act-notice', '?kr-ai-basic-act-realistic'];
const CA = [
  '?us-ca-ai-transparency-latent',
  '?us-ca-ai-transparency-manifest',
  '?us-ca-ai-transparency-platform',
];
const NY = ['?us-ny-synthetic-performer'];
const ES = ['?es-ai-labeling-bill'];
const DAY = '2027-06-30';

describe('marking duties by place, day and content', () => {
  it.each<[string, ShownIn, Until, WorkContent, string[]]>([
    // Place
    ['Germany', ['DE'], DAY, AI, EU],
    ['France', ['FR'], DAY, AI, EU],
    ['an outermost region of the Union', ['GP'], DAY, AI, EU],
    ['a place that may belong to the Union', ['GL'], DAY, AI, EU],
    ['the European Economic Area', ['NO'], DAY, AI, EU],
    ['Spain, with its bill', ['ES'], DAY, AI, [...ES, ...EU]],
    ['Switzerland', ['CH'], DAY, AI, []],
    ['the United Kingdom', ['GB'], DAY, AI, []],
    ['Japan', ['JP'], DAY, AI, []],
    ['China', ['CN'], DAY, AI, CN],
    ['Hong Kong', ['HK'], DAY, AI, []],
    ['South Korea', ['KR'], DAY, AI, KR],
    ['North Korea', ['KP'], DAY, AI, []],
    ['India', ['IN'], DAY, AI, IN],
    ['the United States', ['US'], DAY, AI, [...CA, ...NY]],
    ['California', ['US-CA'], DAY, AI, CA],
    ['New York', ['US-NY'], DAY, AI, NY],
    ['Texas', ['US-TX'], DAY, AI, []],
    ['Texas and New York', ['US-TX', 'US-NY'], DAY, AI, NY],
    ['the United States beside one of its states', ['US-TX', 'US'], DAY, AI, [...CA, ...NY]],
    ['Bavaria is in the Union', ['DE-BY'], DAY, AI, EU],
    ['Scotland is not', ['GB-SCT'], DAY, AI, []],
    ['Puerto Rico', ['PR'], DAY, AI, []],
    ['several countries', ['IN', 'DE', 'KR'], DAY, AI, [...EU, ...IN, ...KR]],
    ['everywhere', 'worldwide', DAY, AI, [...CN, ...ES, ...EU, ...IN, ...KR, ...CA, ...NY]],
    // Day
    ['China the day before', ['CN'], '2025-08-31', AI, CN.map((id) => id.replace('+', '?'))],
    ['China on the day', ['CN'], '2025-09-01', AI, CN],
    ['Korea the day before: the day is not verified', ['KR'], '2026-01-21', AI, KR],
    ['India the day before: the day is not verified', ['IN'], '2026-02-19', AI, IN],
    ['India on the day', ['IN'], '2026-02-20', AI, IN],
    ['India, a campaign until the day', ['IN'], ['2026-01-01', '2026-02-20'], AI, IN],
    ['India, nobody said until when', ['IN'], ['2026-01-01', null], AI, IN],
    ['the Union before the duty', ['DE'], '2026-08-01', AI, EU],
    [
      'California before the act: no day of it is verified',
      ['US-CA'],
      '2026-08-01',
      AI,
      CA.map((id) => id.replace('+', '?')),
    ],
    ['California on the day', ['US-CA'], '2026-08-02', AI, CA],
    ['New York before the duty: the day is not verified', ['US-NY'], '2026-06-08', AI, NY],
    ['without an end', ['US-CA'], [OPEN_END, null], AI, CA],
    // Content
    ['Germany, not AI', ['DE'], DAY, NOT_AI, []],
    ['Germany, rendered by a plain algorithm', ['DE'], DAY, RENDERED, []],
    ['India, rendered by a plain algorithm', ['IN'], DAY, RENDERED, IN],
    ['New York, rendered by a plain algorithm', ['US-NY'], DAY, RENDERED, NY],
    ['India, not made by an algorithm', ['IN'], DAY, NOT_AI, []],
    ['China, nobody knows whether AI', ['CN'], DAY, UNKNOWN, CN.map((id) => id.replace('+', '?'))],
    ['Germany, nobody knows whether AI', ['DE'], DAY, UNKNOWN, EU],
    ['Germany, a deep fake', ['DE'], DAY, DEEP_FAKE, [...EU.slice(0, 2), '+eu-ai-act-50-4-deep-fake']],
    ['Germany, invented and realistic', ['DE'], DAY, INVENTED, EU.slice(0, 2)],
    ['Germany, a cartoon', ['DE'], DAY, CARTOON, EU.slice(0, 2)],
    ['Korea, a cartoon', ['KR'], DAY, CARTOON, KR.slice(0, 1)],
    ['India, a cartoon', ['IN'], DAY, CARTOON, []],
    ['New York, a performer in an advertisement', ['US-NY'], DAY, PERFORMER, ['+us-ny-synthetic-performer']],
    ['New York, no performer', ['US-NY'], DAY, CARTOON, []],
    ['New York, a performer, no advertisement', ['US-NY'], DAY, { ...PERFORMER, advertising: 'no' }, []],
    [
      'New York, a performer, perhaps an advertisement',
      ['US-NY'],
      DAY,
      { ...PERFORMER, advertising: 'unknown' },
      NY,
    ],
    [
      'nobody said where',
      'unknown',
      DAY,
      AI,
      [...CN, ...ES, ...EU, ...IN, ...KR, ...CA, ...NY].map((id) => id.replace('+', '?')),
    ],
    ['nobody said where, not made by an algorithm', 'unknown', DAY, NOT_AI, []],
    ['Germany, a text', ['DE'], DAY, { ...AI, medium: 'text' }, [...EU.slice(0, 2), '?eu-ai-act-50-4-text']],
    ['Germany, a service', ['DE'], DAY, { ...AI, medium: 'service' }, ['?eu-ai-act-50-1-interaction']],
  ])('%s', (_case, shownIn, until, content, expected) => {
    expect(shown(dueDuties(duties, ask(shownIn, until, content)))).toEqual(expected);
  });

  it('are ruled out before their day only by a day that was verified', () => {
    const [label] = duties.filter(({ id }) => id === 'in-it-rules-label');
    const asRead = (verified: boolean): MarkingDuty[] =>
      label === undefined ? [] : [{ ...label, inForce: { ...label.inForce, verified } }];
    expect(dueDuties(asRead(true), ask(['IN'], '2026-02-19'))).toEqual([]);
    expect(shown(dueDuties(asRead(false), ask(['IN'], '2026-02-19')))).toEqual(['?in-it-rules-label']);
    expect(shown(dueDuties(asRead(true), ask(['IN'], '2026-02-20')))).toEqual(['?in-it-rules-label']);
  });

  it('apply for sure to who has the role, and to nobody who certainly has not', () => {
    const provider = dueDuties(duties, ask(['DE'], DAY, AI, { provider: 'yes' }));
    expect(shown(provider).slice(0, 2)).toEqual(['+eu-ai-act-50-2-marking', '+eu-ai-act-50-2-quality']);
    expect(shown(dueDuties(duties, ask(['DE'], DAY, AI, { provider: 'no' })))).toEqual(EU.slice(2));
  });

  it('ask for what is unknown', () => {
    const [marking, , deepFake] = dueDuties(duties, ask(['DE'], '2026-11-23', UNKNOWN));
    expect(marking?.findOut).toEqual([
      'Was the work made or changed by AI?',
      'Until 2026-12-02 it does not bind systems that were on the market before 2 August 2026: is the system one of them? That day is not verified.',
      'Who owes it: Providers of systems that generate synthetic content. Is that you?',
    ]);
    expect(deepFake?.findOut.join()).toContain('would it falsely appear authentic?');
    expect(marking?.shownIn).toEqual(['DE']);
  });

  it('begin within a campaign: listed with the day', () => {
    const [platform] = dueDuties(duties, ask(['US-CA'], ['2026-11-23', '2027-03-01'])).slice(-1);
    expect(platform?.duty.inForce).toMatchObject({ date: '2027-01-01', verified: false });
    expect(platform?.findOut[0]).toBe('Is the work still shown on 2027-01-01, when the duty begins?');
  });
});

const value = fc.constantFrom<ThreeValued>(...THREE_VALUES);
const day = fc
  .integer({ min: 0, max: 1500 })
  .map((days) => new Date(Date.UTC(2025, 0, 1) + days * 86_400_000).toISOString().slice(0, 10));
const country = fc.constantFrom(
  ...COUNTRIES,
  'US-CA',
  'US-NY',
  'US-TX',
  'DE',
  'CN',
  'KR',
  'IN',
  'US',
  'ES',
  'NO',
);
const question: fc.Arbitrary<DutyQuestion> = fc.record({
  shownIn: fc.oneof(
    { weight: 6, arbitrary: fc.array(country, { minLength: 1, maxLength: 6 }) },
    { weight: 1, arbitrary: fc.constantFrom<ShownIn>('worldwide', 'unknown') },
  ),
  days: fc.record({ a: day, b: fc.option(day) }).map(({ a, b }) => ({
    untilAtLeast: b !== null && b < a ? b : a,
    untilAtMost: b !== null && b < a ? a : b,
  })),
  content: fc.record({
    medium: fc.constantFrom(
      'image' as const,
      'video' as const,
      'audio' as const,
      'text' as const,
      'service' as const,
    ),
    aiMade: value,
    algorithmMade: value,
    realistic: value,
    resemblesExisting: value,
    syntheticPerformer: value,
    advertising: value,
  }),
  roles: fc.record({ provider: value, deployer: value, platform: value }),
});

const rank = { none: 0, may_apply: 1, yes: 2 } as const;
function strengths(given: DutyQuestion, of: readonly MarkingDuty[] = duties): Map<string, number> {
  const found = new Map(of.map(({ id }): [string, number] => [id, rank.none]));
  for (const { duty, applies } of dueDuties(of, given)) found.set(duty.id, rank[applies]);
  return found;
}
function expectNoneWeaker(before: Map<string, number>, after: Map<string, number>): void {
  for (const [id, strength] of before) expect([id, (after.get(id) ?? 0) >= strength]).toEqual([id, true]);
}

describe('properties of marking duties', () => {
  it('a wider audience removes and weakens no duty', () => {
    fc.assert(
      fc.property(question, fc.array(country, { maxLength: 5 }), (given, more) => {
        if (typeof given.shownIn === 'string') return;
        const before = strengths(given);
        expectNoneWeaker(before, strengths({ ...given, shownIn: [...given.shownIn, ...more] }));
        expectNoneWeaker(before, strengths({ ...given, shownIn: 'worldwide' }));
      }),
      { numRuns: 300 },
    );
  });

  it('to name the country and not a part of it removes and weakens no duty', () => {
    const parts = fc.array(fc.constantFrom(...SUBDIVISIONS), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(question, parts, (given, named) => {
        const wider = named.map((part, at) => (at % 2 === 0 ? countryOf(part) : part));
        const before = strengths({ ...given, shownIn: named });
        expectNoneWeaker(before, strengths({ ...given, shownIn: wider }));
        expectNoneWeaker(before, strengths({ ...given, shownIn: named.map(countryOf) }));
      }),
      { numRuns: 300 },
    );
  });

  it('a later end removes and weakens no duty', () => {
    fc.assert(
      fc.property(question, day, (given, later) => {
        const { untilAtLeast, untilAtMost } = given.days;
        const days = {
          untilAtLeast: untilAtLeast > later ? untilAtLeast : later,
          untilAtMost: untilAtMost === null ? null : untilAtMost > later ? untilAtMost : later,
        };
        expectNoneWeaker(strengths(given), strengths({ ...given, days }));
        expectNoneWeaker(
          strengths(given),
          strengths({ ...given, days: { untilAtLeast: OPEN_END, untilAtMost: null } }),
        );
      }),
      { numRuns: 300 },
    );
  });

  it('less knowledge removes no duty: of the place, the end, the work, the roles', () => {
    const forgotten = { aiMade: 'unknown', algorithmMade: 'unknown', realistic: 'unknown' } as const;
    const nothing = {
      ...forgotten,
      resemblesExisting: 'unknown',
      syntheticPerformer: 'unknown',
      advertising: 'unknown',
    } as const;
    const nobody = { provider: 'unknown', deployer: 'unknown', platform: 'unknown' } as const;
    fc.assert(
      fc.property(question, (given) => {
        const before = dueDuties(duties, given).map(({ duty }) => duty.id);
        const less: DutyQuestion[] = [
          { ...given, shownIn: 'unknown' },
          { ...given, days: { ...given.days, untilAtMost: null } },
          { ...given, content: { ...given.content, ...nothing } },
          { ...given, roles: nobody },
        ];
        for (const one of less) {
          const after = dueDuties(duties, one).map(({ duty }) => duty.id);
          expect(before.filter((id) => !after.includes(id))).toEqual([]);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('a date that is no longer verified removes no duty', () => {
    const doubtful = duties.map((duty) => ({ ...duty, inForce: { ...duty.inForce, verified: false } }));
    fc.assert(
      fc.property(question, (given) => expectNoneWeaker(strengths(given), strengths(given, doubtful))),
      { numRuns: 200 },
    );
  });

  it('neither the order of the audience nor a country named twice changes anything', () => {
    fc.assert(
      fc.property(question, (given) => {
        if (typeof given.shownIn === 'string') return;
        const turned = [...given.shownIn, ...given.shownIn].reverse();
        expect(dueDuties(duties, { ...given, shownIn: turned })).toEqual(dueDuties(duties, given));
      }),
      { numRuns: 200 },
    );
  });

  it('says of each unknown what to find out, and nothing of what is certain', () => {
    fc.assert(
      fc.property(question, (given) => {
        for (const { applies, findOut } of dueDuties(duties, given))
          expect(applies === 'yes' ? findOut.length === 0 : findOut.length > 0).toBe(true);
      }),
      { numRuns: 200 },
    );
  });
});
