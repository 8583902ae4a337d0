import { describe, expect, it } from '@jest/globals';
import { type ReturnReport } from '../application/return-of-use-case.js';
import { compareVariants, type VariantCounts } from '../domain/use-case-return.js';
import { returnChart } from './return-chart.js';

const ID = '00000000-0000-7000-8000-000000000000';

const counts = (variant: string, impressions: number, clicks: number): VariantCounts => ({
  variant,
  rows: 1,
  impressions: BigInt(impressions),
  clicks: BigInt(clicks),
  conversions: undefined,
  revenueMicroUsd: undefined,
  clickRate: { clicks, impressions },
  conversionRate: { conversions: 0, clicks: 0 },
  incompleteRows: 0,
});

function report(variants: readonly VariantCounts[], savedMicroUsd?: bigint): ReturnReport {
  const [first] = variants;
  return {
    useCase: { id: ID, projectId: ID, name: 'hero-image' },
    from: '2026-11-01',
    until: '2026-11-30',
    baseline: undefined,
    newWay: { days: [], medianMinutes: undefined, openSteps: 0 },
    savings: {
      pieces: 0,
      spentMicroUsd: 0n,
      costPerPieceMicroUsd: undefined,
      savedMicroUsd,
      savedMinutesPerPiece: undefined,
      timeToReturn: { kind: 'unknown', because: 'nothing was made in the period' },
    },
    control: first?.variant,
    variants: compareVariants(variants, first?.variant),
    variantsLeftOut: 0,
  };
}

describe('the chart of a return', () => {
  it('says of each variant what its rate rests on, and what is not known', () => {
    const chart = returnChart(report([counts('old', 40_000, 610), counts('new', 0, 0)]));
    expect(chart).toContain('old (control)');
    expect(chart).toContain('1.52 % (610 of 40,000)');
    expect(chart).toContain('>not known</text>');
    expect(chart).toContain('Saved: not known.');
  });

  it.each([
    [18_000_000_000n, '18,000.00 USD'],
    [-1_234_567_500_000n, '-1,234,567.50 USD'],
    [42_617n, '0.042617 USD'],
  ])('writes %s micro-USD as %s', (saved, text) => {
    expect(returnChart(report([], saved))).toContain(`Saved: ${text}.`);
  });

  it('shows names as they are, and no half of a character', () => {
    const names = ['<script>alert(1)</script>', '"/><a href="x">', '\u{1F600}'.repeat(40)];
    const chart = returnChart(report(names.map((name) => counts(name, 10, 1))));
    expect(chart).not.toMatch(/<script|<a /);
    expect(Buffer.from(chart).toString()).toBe(chart);
  });

  it('draws nothing outside of its picture when a rate is that of everybody', () => {
    const chart = returnChart(report([counts('all', 3, 3)]));
    const places = [...chart.matchAll(/H(\d+(?:\.\d+)?)M/g)].map(([, x]) => Number(x));
    expect(places.every((x) => x <= 590)).toBe(true);
  });
});
