import { formatUsd } from '../../shared/money.js';
import { type ReturnReport } from '../application/return-of-use-case.js';
import { type Proportion } from '../domain/statistics.js';
import { type TimeToReturn, type Variant } from '../domain/use-case-return.js';
import { escapeXml, fitted } from './svg-text.js';

const WIDTH = 960;
const MARGIN = 20;
const LEFT = 250;
const PLOT = 400;
/** Where the figures begin, beside the bars. */
const FIGURES = LEFT + PLOT + 14;
const ROW = 34;
const LINE = 22;
const FOOT = 50;
const MAX_ROWS = 30;
/** A century: whoever reads more days than that reads nothing. */
const MAX_DAYS = 36_525;

/** Font sizes, which the styles of the picture set. */
const SIZES = { plain: 14, head: 18, muted: 12 } as const;
type Style = keyof typeof SIZES;

/** A picture of a report: what it saved, and the click rate of each variant with its 95 % interval. */
export function returnChart(report: ReturnReport): string {
  const rows = shownOf(report);
  const lines = headline(report);
  const head = 88 + lines.length * LINE;
  const notes = notesOf(report, rows.length);
  const bottom = head + Math.max(1, rows.length) * ROW;
  const height = bottom + FOOT + (notes.length - 1) * LINE;
  const top = niceTop(Math.max(0, ...rows.map(({ clickRate }) => clickRate?.interval.high ?? 0)));
  const title = `Return of ${report.useCase.name}, ${report.from} to ${report.until}`;
  const body = [
    headingOf(report),
    ...lines.map((line, index) => text(MARGIN, 56 + index * LINE, line)),
    text(MARGIN, head - 20, 'Click rate by variant', 'muted'),
    ...(rows.length === 0
      ? [text(MARGIN, head + 18, 'No outcomes are recorded for this period.', 'muted')]
      : [
          ...axis(top, head, bottom),
          ...rows.flatMap((variant, index) => row(variant, head + index * ROW, top, report.control)),
        ]),
    ...notes.map((note, index) => text(MARGIN, bottom + 36 + index * LINE, note, 'muted')),
  ];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-labelledby="title">`,
    `<title id="title">${escapeXml(title)}</title>`,
    `<style>text{font:${SIZES.plain}px system-ui,sans-serif;fill:#1b1b1b}.head{font-size:${SIZES.head}px;font-weight:600}.muted{fill:#5a5a5a;font-size:${SIZES.muted}px}.bar{fill:#2f5d8a}.control{fill:#8a8f98}.line{stroke:#1b1b1b;stroke-width:1.5}.grid{stroke:#d9dce1}.middle{text-anchor:middle}</style>`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    ...body,
    '</svg>',
    '',
  ].join('\n');
}

/** In the order of the report; the control is always there. */
function shownOf({ variants, control }: ReturnReport): readonly Variant[] {
  const isLate = variants.findIndex(({ variant }) => variant === control) >= MAX_ROWS;
  const first = variants.slice(0, isLate ? MAX_ROWS - 1 : MAX_ROWS);
  return isLate ? [...first, ...variants.filter(({ variant }) => variant === control)] : first;
}

/** The name may be of any script: it is a part of its own, so that the days stay where they are. */
function headingOf({ useCase, from, until }: ReturnReport): string {
  const period = `, ${from} to ${until}`;
  // Bold letters are wider by about a tenth.
  const name = fitted(useCase.name, 620, SIZES.head * 1.1);
  return `<text x="${MARGIN}" y="30" class="head"><tspan unicode-bidi="isolate">${escapeXml(name)}</tspan>${period}<title>${escapeXml(useCase.name)}</title></text>`;
}

function headline({ savings, baseline, newWay }: ReturnReport): string[] {
  const before = baseline?.costMicroUsd;
  const old = before === undefined ? 'what one cost before is not known' : `before: ${usd(before)} each`;
  const open = newWay.openSteps === 1 ? '1 step is' : `${grouped(newWay.openSteps)} steps are`;
  return [
    `${piecesText(savings.pieces, usd(savings.costPerPieceMicroUsd))}; ${old}`,
    `Saved: ${usd(savings.savedMicroUsd)}. Return: ${returnText(savings.timeToReturn)}`,
    ...(newWay.openSteps === 0
      ? []
      : [`${open} not settled yet: up to ${usd(newWay.openMicroUsd)} more may be spent.`]),
  ];
}

function notesOf({ variants, variantsLeftOut, notComparedBecause }: ReturnReport, shown: number): string[] {
  const all = variants.length + variantsLeftOut;
  const left = all > shown ? ` ${grouped(shown)} of ${grouped(all)} variants are shown.` : '';
  const line = shown === 0 ? [] : [`Line: 95 % interval (Wilson).${left}`];
  return [...line, ...(notComparedBecause === undefined ? [] : [notComparedBecause])];
}

function piecesText(pieces: number, perPiece: string): string {
  if (pieces === 0) return 'No pieces';
  return pieces === 1 ? `1 piece at ${perPiece}` : `${grouped(pieces)} pieces at ${perPiece} each`;
}

function row({ variant, clickRate }: Variant, y: number, top: number, control: string | undefined): string[] {
  const name = nameOf(variant, control, y + 17);
  if (clickRate === undefined) return [name, text(LEFT, y + 17, 'not known', 'muted')];
  const x = (share: number): string => (LEFT + (share / top) * PLOT).toFixed(1);
  const { low, high } = clickRate.interval;
  const width = ((clickRate.share / top) * PLOT).toFixed(1);
  return [
    name,
    `<rect class="${variant === control ? 'control' : 'bar'}" x="${LEFT}" y="${y + 4}" width="${width}" height="18"/>`,
    `<path class="line" fill="none" d="M${x(low)} ${y + 13}H${x(high)}M${x(low)} ${y + 8}v10M${x(high)} ${y + 8}v10"/>`,
    text(FIGURES, y + 17, percentOf(clickRate), 'muted'),
  ];
}

/** The whole name is shown by browsers on pointing at it. */
function nameOf(variant: string, control: string | undefined, y: number): string {
  const mark = variant === control ? ' (control)' : '';
  const room = LEFT - MARGIN - 10 - (mark === '' ? 0 : 78);
  const shown = fitted(variant, room, SIZES.plain);
  return `<text x="${MARGIN}" y="${y}"><tspan unicode-bidi="isolate">${escapeXml(shown)}</tspan>${mark}<title>${escapeXml(variant)}</title></text>`;
}

function axis(top: number, head: number, bottom: number): string[] {
  return [0, 0.5, 1].flatMap((part) => {
    const x = LEFT + part * PLOT;
    return [
      `<line class="grid" x1="${x}" x2="${x}" y1="${head - 8}" y2="${bottom}"/>`,
      text(x, bottom + 14, `${digits(top * part * 100)} %`, 'muted', 'middle'),
    ];
  });
}

/** The next of 1, 2, 5 times a power of ten. */
function niceTop(most: number): number {
  if (most <= 0) return 0.01;
  const power = 10 ** Math.floor(Math.log10(most));
  const factor = [1, 2, 5, 10].find((one) => one * power >= most) ?? 10;
  return Math.min(1, factor * power);
}

function percentOf({ share, successes, trials }: Proportion): string {
  return `${digits(share * 100)} % (${counted(successes)} of ${counted(trials)})`;
}

function grouped(count: number): string {
  return count.toLocaleString('en-US');
}

const MILLION = 1e6;
const LARGE: readonly (readonly [number, string])[] = [
  [1e12, 'trillion'],
  [1e9, 'billion'],
];

/** To the last one below a billion; beyond that nobody reads the last ones. */
function counted(count: number): string {
  const [unit, word] = LARGE.find(([one]) => count >= one) ?? [MILLION, ''];
  if (word === '') return grouped(count);
  const figure = (count / unit).toLocaleString('en-US', { maximumSignificantDigits: 3 });
  return `${figure} ${word}`;
}

/** Three figures that count, never as a power of ten. */
function digits(value: number): string {
  return value.toLocaleString('en-US', { maximumSignificantDigits: 3 });
}

function usd(amount: bigint | undefined): string {
  // Cents, and what is smaller only where there is something.
  if (amount === undefined) return 'not known';
  const [dollars = '', cents = ''] = formatUsd(amount)
    .replace(/(\.\d\d\d*?)0+$/, '$1')
    .split('.');
  return `${dollars.replace(/\B(?=(\d{3})+$)/g, ',')}.${cents} USD`;
}

function returnText(time: TimeToReturn): string {
  switch (time.kind) {
    case 'reached':
      return `reached on ${time.on}`;
    case 'projected':
      if (time.inDays > MAX_DAYS) return 'in more than 100 years, if days to come are like these';
      return `in ${time.inDays === 1 ? '1 day' : `${grouped(time.inDays)} days`}, if they are like these`;
    case 'never_at_this_rate':
      return 'never, at this rate';
    case 'unknown':
      return `not known (${time.because})`;
  }
}

/** Never beyond the edge of the picture. */
function text(x: number, y: number, content: string, style: Style = 'plain', more = ''): string {
  const shown = fitted(content, WIDTH - x - 8, SIZES[style]);
  const names = [...(style === 'plain' ? [] : [style]), ...(more === '' ? [] : [more])].join(' ');
  return `<text x="${x}" y="${y}"${names === '' ? '' : ` class="${names}"`}>${escapeXml(shown)}</text>`;
}
