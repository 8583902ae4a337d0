import { describe, expect, it } from '@jest/globals';
import sharp from 'sharp';
import { type ReturnReport } from '../application/return-of-use-case.js';
import { compareVariants, type VariantCounts } from '../domain/use-case-return.js';
import { returnChart } from './return-chart.js';
import { fitted, widthOf } from './svg-text.js';

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
    newWay: { days: [], medianMinutes: undefined, openSteps: 0, openMicroUsd: 0n },
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
    notComparedBecause: undefined,
    variantsLeftOut: 0,
  };
}

describe('the chart of a return', () => {
  it('says of each variant what its rate rests on, and what is not known', () => {
    const chart = returnChart(report([counts('old', 40_000, 610), counts('new', 0, 0)]));
    expect(chart).toContain('old</tspan> (control)');
    expect(chart).toContain('1.53 % (610 of 40,000)');
    expect(chart).toContain('>not known</text>');
    expect(chart).toContain('Saved: not known.');
  });

  it.each([
    [18_000_000_000n, '18,000.00 USD'],
    [-1_234_567_500_000n, '-1,234,567.50 USD'],
    [42_617n, '0.042617 USD'],
    [3_000n, '0.003 USD'],
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
    expect(places.every((x) => x <= 650)).toBe(true);
  });

  /** Whether any pixel of the columns from `left` on is not white. */
  async function isInked(chart: string, left: number, width: number): Promise<boolean> {
    const { data } = await sharp(Buffer.from(chart))
      .flatten({ background: '#ffffff' })
      .grayscale()
      .raw()
      .toBuffer({ resolveWithObject: true });
    return data.some((value, index) => index % 960 >= left && index % 960 < left + width && value < 250);
  }

  it.each([
    ['as long as may be', 'Wide Mountain Wallpaper With Many Words In Its Name 12345678'],
    ['of wide letters', 'W'.repeat(60)],
    ['of narrow letters', 'i'.repeat(60)],
    ['from right to left', '\u05ea\u05de\u05d5\u05e0\u05d4 '.repeat(12)],
    ['in Chinese', '\u590f\u5b63\u4e3b\u89c6\u89c9'.repeat(12)],
    ['of faces that are joined', '\u{1F468}\u200d\u{1F469}\u200d\u{1F467}'.repeat(20)],
  ])('draws a name %s beside the bars, and a count of any size within the picture', async (_kind, name) => {
    const chart = returnChart({
      ...report([counts(name, 1e12, 3), counts('\u2060', 2e17, 1e17)], -99_999_999_999_999_999n),
      useCase: { id: ID, projectId: ID, name },
    });
    // Without the headline and the scale, which may stand there.
    const rows = chart.replace(/<text x="20" y="(?:30|56|78)".*|<text .*middle.*/g, '');
    expect(await isInked(rows, 240, 8)).toBe(false);
    expect(await isInked(chart, 952, 8)).toBe(false);
    expect(chart).toContain('\u2026');
    expect(chart).toContain('100,000 trillion of 200,000 trillion');
  });

  it('always shows the control, and says how many others are not shown', () => {
    const names = Array.from({ length: 40 }, (_, index) => `v${String(index).padStart(2, '0')}`);
    const many = report(names.map((name) => counts(name, 1000, 5)));
    const chart = returnChart({ ...many, control: 'v39', variantsLeftOut: 3 });
    expect(chart).toContain('v39</tspan> (control)');
    expect(chart).not.toContain('v29');
    expect(chart).toContain('30 of 43 variants are shown.');
  });

  it('says in whole words what is not known, not compared and not settled', () => {
    const chart = returnChart({
      ...report([]),
      notComparedBecause: 'There are no outcomes of the control "old" in the period.',
      newWay: { days: [], medianMinutes: undefined, openSteps: 3, openMicroUsd: 120_000n },
    });
    expect(chart).toContain('No pieces; what one cost before is not known');
    expect(chart).toContain('No outcomes are recorded for this period.');
    expect(chart).toContain('There are no outcomes of the control &quot;old&quot; in the period.');
    expect(chart).toContain('3 steps are not settled yet: up to 0.12 USD more may be spent.');
    const far = { kind: 'projected', inDays: 1.1e19 } as const;
    const late = report([]);
    expect(returnChart({ ...late, savings: { ...late.savings, timeToReturn: far } })).toContain(
      'in more than 100 years',
    );
  });
});

describe('a text in a picture', () => {
  it('is as it is where it fits, else its beginning, and never half a sign', () => {
    const family = '\u{1F468}\u200d\u{1F469}\u200d\u{1F467}';
    expect(fitted('old', 100, 14)).toBe('old');
    expect(fitted('a b '.repeat(40), 60, 14)).toMatch(/^a b.*[ab]\u2026$/);
    expect(widthOf(fitted('W'.repeat(60), 100, 14), 14)).toBeLessThanOrEqual(100);
    expect(fitted(family.repeat(9), 100, 14)).toMatch(new RegExp(`^(?:${family})+\u2026$`, 'u'));
  });
});
