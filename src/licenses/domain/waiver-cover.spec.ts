import { describe, expect, it } from '@jest/globals';
import { endsBeforeCampaign, lastCoveredDay, longer } from './waiver-cover.js';

const at = (moment: string) => new Date(moment);

describe('a waiver and the campaign for which it was approved', () => {
  it.each([
    ['2026-12-31T00:00:00.000Z', '2026-12-31', 'yes'],
    ['2026-12-31T23:59:59.999Z', '2026-12-31', 'yes'],
    ['2027-01-01T00:00:00.000Z', '2026-12-31', 'no'],
    ['2099-01-01T00:00:00.000Z', 'open-ended', 'yes'],
    ['2099-01-01T00:00:00.000Z', null, 'unknown'],
  ] as const)('that ends at %s, of a campaign until %s: ends before it? %s', (until, end, answer) => {
    expect(endsBeforeCampaign(at(until), end)).toBe(answer);
  });

  it('covers whole days only: a day that it does not see the end of is not covered', () => {
    expect(lastCoveredDay(at('2027-01-01T00:00:00.000Z'))).toBe('2026-12-31');
    expect(lastCoveredDay(at('2026-12-31T23:59:59.999Z'))).toBe('2026-12-30');
  });

  it('of two the longer one counts, and one is better than none', () => {
    const [short, long] = ['2027-01-01', '2027-02-01'].map((day) => ({
      until: at(`${day}T00:00:00Z`),
      waiverIds: [day],
    }));
    expect([longer(short, long), longer(long, short)]).toEqual([long, long]);
    expect([longer(undefined, short), longer(short, undefined)]).toEqual([short, short]);
    expect(longer(undefined, undefined)).toBeUndefined();
  });
});
