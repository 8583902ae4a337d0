import { describe, expect, it } from '@jest/globals';
import { type Case, decideCase, variant } from '../testing/case.js';

const owed = (one: Partial<Case>) =>
  decideCase({ what: '', source: '', use: ['flux-1-schnell'], decision: 'allow', rules: [], ...one })
    .obligations.filter(({ listingId, kind }) => listingId === null || kind === 'stop-before')
    .map(({ kind, due, until, text }) => ({ kind, due, until, text }));

describe('what is owed because of what went in', () => {
  it('is to stop on the last day of a right and of each release, although the campaign ends before', () => {
    const release = { reference: 'M-7', coversAiAlteration: 'yes' as const, expiresAt: '2027-03-31' };
    const obligations = owed({
      input: { assetId: 'ast_1', expiresAt: '2027-06-30', showsPeople: 'yes', releases: [release] },
    });
    expect(obligations.map(({ kind, due, until }) => [kind, due, until])).toEqual([
      ['stop-before', 'always', '2027-06-30'],
      ['stop-before', 'always', '2027-03-31'],
    ]);
    expect(obligations[1]?.text).toContain('release M-7 (input ast_1)');
  });

  it('is to name the author of a picture under an attribution license, and nobody for a dedication', () => {
    const credit = (creativeCommons: string) =>
      owed({ input: { rightsBasis: 'creative-commons', creativeCommons } }).map(({ kind }) => kind);
    expect(credit('CC-BY-4.0')).toEqual(['attribution']);
    expect(credit('CC0-1.0')).toEqual([]);
    const licensed = owed({ input: { rightsBasis: 'licensed', creativeCommons: 'CC-BY-4.0' } });
    expect(licensed.map(({ kind }) => kind)).toEqual(['attribution']);
  });

  it('is to stop when a license ends that takes its outputs along, and not when they may stay', () => {
    const ending = (outputsSurviveEnd: 'yes' | 'unknown') => {
      const { license } = variant('flux-1-schnell', 'bought', {});
      const listing = variant('flux-1-schnell', 'bought', {
        license: { ...license, endsOn: '2027-06-30', outputsSurviveEnd },
      });
      return owed({ use: ['bought'], listings: [listing] }).map(({ until }) => until);
    };
    expect([ending('unknown'), ending('yes')]).toEqual([['2027-06-30'], []]);
  });
});
