import { describe, expect, it } from '@jest/globals';
import { markingDuties } from '../registry/marking-duties.js';
import { dueOn, isOverdue, isOwedIn } from './obligation-due.js';

const { duties } = markingDuties();
const law = { source: 'law', inForceOn: '2026-12-02' } as const;
const license = { source: 'license', inForceOn: null } as const;
const RELEASED = { signedOn: '2026-11-01', releasedOn: '2026-11-20' };
const UNRELEASED = { ...RELEASED, releasedOn: null };

describe('the day on which an obligation falls due', () => {
  it.each([
    [{ ...license, due: 'always' }, UNRELEASED, '2026-11-01'],
    [{ ...law, due: 'always' }, UNRELEASED, '2026-12-02'],
    [{ ...law, inForceOn: '2026-08-02', due: 'always' }, UNRELEASED, '2026-11-01'],
    [{ ...license, due: 'on-publication' }, UNRELEASED, null],
    [{ ...license, due: 'before-publication' }, RELEASED, '2026-11-20'],
    [{ ...law, due: 'on-publication' }, RELEASED, '2026-12-02'],
    [{ ...license, due: 'on-distribution-of-model' }, RELEASED, null],
    [{ ...law, inForceOn: null, due: 'always' }, RELEASED, null],
    [{ ...license, due: 'always', until: '2026-12-31' }, UNRELEASED, '2026-12-31'],
  ] as const)('of %j in %j is %s', (obligation, days, day) => {
    expect(dueOn(obligation, days)).toBe(day);
  });

  it('makes it overdue the day after, as long as it is open', () => {
    expect(isOverdue('open', '2026-11-20', '2026-11-20')).toBe(false);
    expect(isOverdue('open', '2026-11-20', '2026-11-21')).toBe(true);
    expect(isOverdue('done', '2026-11-20', '2026-11-21')).toBe(false);
    expect(isOverdue('open', null, '2026-11-21')).toBe(false);
  });
});

describe('the markets in which an obligation is owed', () => {
  const of = (key: string, shownIn: readonly string[]) => ({ source: 'law', key, shownIn }) as const;
  const union = 'law:eu-ai-act-50-2-marking';
  const california = 'law:us-ca-ai-transparency-latent';
  it.each([
    ['DE', of(union, ['DE', 'FR']), true],
    ['DE-BY', of(union, ['DE']), true],
    // The law counts there, but the work is not shown there.
    ['IT', of(union, ['DE', 'FR']), false],
    ['IT', of(union, []), true],
    ['US', of(union, []), false],
    ['US', of(california, ['US']), true],
    ['US-CA', of(california, ['US']), true],
    ['US-NY', of(california, ['US']), false],
    ['DE', of('law:of-another-calendar', []), true],
    ['DE', of('law:of-another-calendar', ['CN']), false],
  ])('%s of %j: %s', (market, obligation, isOwed) => {
    expect(isOwedIn(market, obligation, duties)).toBe(isOwed);
  });

  it('of a license are all', () => {
    expect(isOwedIn('DE', { source: 'license', key: 'license:x', shownIn: [] }, duties)).toBe(true);
  });
});
