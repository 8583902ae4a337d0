import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type AssetObligation } from './asset-obligation.js';
import { readingId, sameDemand, stateToday } from './obligation-reading.js';

const ASSET = 'ast_018f2d1c7a3e7b4c8d5e6f7a8b9c0d1e';
const DUTY: AssetObligation = {
  ...{ v: 1, source: 'law', key: 'law:x', kind: 'visible-label', applies: 'yes', findOut: [] },
  ...{ text: 'Label it.', where: 'China', shownIn: ['CN'], owedBy: 'deployer', who: 'Whoever shows it' },
  ...{ due: 'on-publication', inForceOn: '2026-12-02', dateVerified: false, transitionUntil: null },
  ...{ verified: false, notVerified: 'Not read.', exemptions: [], blocking: false },
  citation: { title: 'A law', section: '1', url: null, dateRead: '2026-11-23' },
  ...{ listingId: null, clearanceId: null, calendar: { sha256: 'a'.repeat(64), readOn: '2026-11-23' } },
  ...{ placeKnown: true, inheritedFrom: null, systemProof: null },
};
const changedTo = (changes: Partial<AssetObligation>): AssetObligation => ({ ...DUTY, ...changes });

/** Another demand, of another person, at another place or time. */
const DEMANDS: Partial<AssetObligation>[] = [
  { text: 'Label it in red.' },
  { where: 'India' },
  { kind: 'disclosure-text' },
  { owedBy: 'platform' },
  { who: 'Whoever made it' },
  { due: 'before-publication' },
  { key: 'law:y' },
  { citation: { title: 'A law', section: '2', url: null, dateRead: '2026-11-23' } },
];
/** The same is demanded, but it binds otherwise. */
const CONDITIONS: Partial<AssetObligation>[] = [
  { applies: 'may_apply' },
  { findOut: ['Is it shown?'] },
  { inForceOn: '2027-01-01' },
  { transitionUntil: '2027-01-01' },
  { exemptions: ['Films.'] },
];
/** Somebody read the text again, asked on another day, or another decision brought the same. */
const METADATA: Partial<AssetObligation>[] = [
  { verified: true, notVerified: null, dateVerified: true },
  { citation: { title: 'A law', section: '1', url: 'https://example.com/', dateRead: '2027-01-01' } },
  { calendar: { sha256: 'b'.repeat(64), readOn: '2027-01-01' } },
  { clearanceId: 'clr_1', inheritedFrom: 'ast_1', placeKnown: false, shownIn: [] },
  { until: '2026-12-01' },
  { systemProof: { extent: 'whole', proves: 'x', remains: 'y' } },
];

describe('the id of a reading of an obligation', () => {
  it('is the same for the same words, whoever read them when, and for no other words nor another file', () => {
    const id = readingId(ASSET, DUTY);
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    for (const changes of METADATA) expect(readingId(ASSET, changedTo(changes))).toBe(id);
    const others = [...DEMANDS, ...CONDITIONS].map((changes) => readingId(ASSET, changedTo(changes)));
    expect(new Set([id, ...others, readingId('ast_1', DUTY)]).size).toBe(others.length + 2);
  });

  it('is a vector that never changes: what was proved in one release is proved in the next', () => {
    expect(readingId(ASSET, DUTY)).toBe('06f34f61-b994-8e22-96c9-c0e79ddf056f');
  });
});

describe('how an obligation stands as it reads today', () => {
  const said = (outcome: 'done' | 'waived' | 'not_applicable' | 'open', reading = DUTY) => ({
    outcome,
    said: reading,
  });

  it('is open without a word, and as the last word on the same demand says', () => {
    expect(stateToday(DUTY, [], undefined)).toBe('open');
    for (const outcome of ['done', 'waived', 'not_applicable', 'open'] as const)
      expect(stateToday(DUTY, [said('done'), said(outcome)], undefined)).toBe(outcome);
  });

  it('is open again when something else is demanded, whatever was said before', () => {
    for (const changes of DEMANDS)
      for (const outcome of ['done', 'waived', 'not_applicable'] as const)
        expect(stateToday(changedTo(changes), [said(outcome)], DUTY)).toBe('open');
  });

  it('stays done when only the conditions change; that it does not apply has to be said anew', () => {
    for (const changes of CONDITIONS) {
      expect(stateToday(changedTo(changes), [said('done')], DUTY)).toBe('done');
      expect(stateToday(changedTo(changes), [said('waived')], DUTY)).toBe('waived');
      expect(stateToday(changedTo(changes), [said('not_applicable')], DUTY)).toBe('open');
      // It was taken back before: the older word does not come to life again.
      expect(stateToday(changedTo(changes), [said('done'), said('not_applicable')], DUTY)).toBe('open');
    }
    for (const changes of METADATA)
      expect(stateToday(changedTo(changes), [said('not_applicable')], DUTY)).toBe('not_applicable');
  });

  it('counts what the program proved when it signed, for the same demand and where nobody said otherwise', () => {
    const listed = changedTo({ systemProof: { extent: 'whole', proves: 'x', remains: 'y' } });
    expect(stateToday(changedTo({ applies: 'may_apply' }), [], listed)).toBe('done');
    expect(stateToday(changedTo({ text: 'Other.' }), [], listed)).toBe('open');
    expect(stateToday(DUTY, [said('open')], listed)).toBe('open');
    const part = changedTo({ systemProof: { extent: 'part', proves: 'x', remains: 'y' } });
    expect(stateToday(DUTY, [], part)).toBe('open');
  });

  it('is never settled by words of which none is on the same demand', () => {
    const reading = fc.constantFrom(...DEMANDS, ...CONDITIONS, ...METADATA, {}).map(changedTo);
    const outcome = fc.constantFrom('done', 'waived', 'not_applicable', 'open' as const);
    fc.assert(
      fc.property(reading, fc.array(fc.record({ outcome, said: reading })), (today, words) => {
        const state = stateToday(today, words, undefined);
        const last = words.filter((word) => sameDemand(word.said, today)).at(-1);
        return state === 'open' || (last !== undefined && last.outcome === state);
      }),
    );
  });
});
