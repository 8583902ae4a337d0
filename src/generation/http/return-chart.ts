import { formatUsd } from '../../shared/money.js';
import { type ReturnReport } from '../application/return-of-use-case.js';
import { type Proportion } from '../domain/statistics.js';
import { type TimeToReturn, type Variant } from '../domain/use-case-return.js';

const WIDTH = 840;
const LEFT = 190;
const PLOT = 400;
const ROW = 34;
const HEAD = 132;
const FOOT = 64;
const MAX_ROWS = 30;
/** As many characters of a name as there is room for beside the bars, at the width of most fonts. */
const MAX_NAME = 22;

/** A picture of a report: what it saved, and the click rate of each variant with its 95 % interval. */
export function returnChart(report: ReturnReport): string {
  const rows = report.variants.slice(0, MAX_ROWS);
  const height = HEAD + Math.max(1, rows.length) * ROW + FOOT;
  const most = Math.max(0, ...rows.map(({ clickRate }) => clickRate?.interval.high ?? 0));
  const top = niceTop(most);
  const body = [
    ...headline(report),
    ...axis(top, height),
    ...(rows.length === 0
      ? [text(LEFT, HEAD + 20, 'No outcomes are recorded for this period.', 'muted')]
      : rows.flatMap((variant, index) => row(variant, index, top, report.control))),
    text(
      20,
      height - 14,
      `Line: 95 % interval (Wilson). ${allVariants(report) > MAX_ROWS ? `The first ${MAX_ROWS} of ${allVariants(report)} variants.` : ''}`,
      'muted',
    ),
  ];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-labelledby="title">`,
    `<title id="title">${escape(`Return of ${report.useCase.name}, ${report.from} to ${report.until}`)}</title>`,
    '<style>text{font:14px system-ui,sans-serif;fill:#1b1b1b}.head{font-size:18px;font-weight:600}.muted{fill:#5a5a5a;font-size:12px}.bar{fill:#2f5d8a}.control{fill:#8a8f98}.line{stroke:#1b1b1b;stroke-width:1.5}.grid{stroke:#d9dce1}</style>',
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    ...body,
    '</svg>',
    '',
  ].join('\n');
}

function allVariants({ variants, variantsLeftOut }: ReturnReport): number {
  return variants.length + variantsLeftOut;
}

function headline({ useCase, from, until, savings, baseline }: ReturnReport): string[] {
  const perPiece = usd(savings.costPerPieceMicroUsd);
  const before = usd(baseline?.costMicroUsd);
  return [
    text(20, 30, `${useCase.name}, ${from} to ${until}`, 'head'),
    text(20, 56, `${piecesText(savings.pieces, perPiece)}; before: ${before} each`),
    text(20, 78, `Saved: ${usd(savings.savedMicroUsd)}. Return: ${returnText(savings.timeToReturn)}`),
    text(20, 112, 'Click rate by variant', 'muted'),
  ];
}

function piecesText(pieces: number, perPiece: string): string {
  if (pieces === 0) return 'No pieces';
  return pieces === 1 ? `1 piece at ${perPiece}` : `${pieces} pieces at ${perPiece} each`;
}

function row(
  { variant, clickRate }: Variant,
  index: number,
  top: number,
  control: string | undefined,
): string[] {
  const y = HEAD + index * ROW;
  const name = nameOf(variant, control, y + 17);
  if (clickRate === undefined) return [name, text(LEFT, y + 17, 'not known', 'muted')];
  const x = (share: number): string => (LEFT + (share / top) * PLOT).toFixed(1);
  const { low, high } = clickRate.interval;
  const width = ((clickRate.share / top) * PLOT).toFixed(1);
  return [
    name,
    `<rect class="${variant === control ? 'control' : 'bar'}" x="${LEFT}" y="${y + 4}" width="${width}" height="18"/>`,
    `<path class="line" fill="none" d="M${x(low)} ${y + 13}H${x(high)}M${x(low)} ${y + 8}v10M${x(high)} ${y + 8}v10"/>`,
    text(LEFT + PLOT + 14, y + 17, percentOf(clickRate), 'muted'),
  ];
}

/** The whole name is shown by browsers on pointing at it. */
function nameOf(variant: string, control: string | undefined, y: number): string {
  const mark = variant === control ? ' (control)' : '';
  const room = MAX_NAME - mark.length;
  // By characters: half of one is none.
  const characters = [...variant];
  const shown = characters.length > room ? `${characters.slice(0, room - 1).join('')}\u2026` : variant;
  return `<text x="20" y="${y}">${escape(`${shown}${mark}`)}<title>${escape(variant)}</title></text>`;
}

function axis(top: number, height: number): string[] {
  return [0, 0.5, 1].flatMap((part) => {
    const x = LEFT + part * PLOT;
    return [
      `<line class="grid" x1="${x}" x2="${x}" y1="${HEAD - 8}" y2="${height - FOOT + 4}"/>`,
      text(x - 10, height - FOOT + 18, `${trim(top * part * 100)} %`, 'muted'),
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
  return `${trim(share * 100)} % (${grouped(successes)} of ${grouped(trials)})`;
}

function grouped(count: number): string {
  return count.toLocaleString('en-US');
}

function trim(value: number): string {
  return String(Number(value.toPrecision(3)));
}

function usd(amount: bigint | undefined): string {
  // Cents, and what is smaller only where there is something.
  if (amount === undefined) return 'not known';
  const [dollars = '', cents = ''] = formatUsd(amount)
    .replace(/(\.\d\d)0+$/, '$1')
    .split('.');
  return `${dollars.replace(/\B(?=(\d{3})+$)/g, ',')}.${cents} USD`;
}

function returnText(time: TimeToReturn): string {
  switch (time.kind) {
    case 'reached':
      return `reached on ${time.on}`;
    case 'projected':
      return `in ${time.inDays} days, if they are like these`;
    case 'never_at_this_rate':
      return 'never, at this rate';
    case 'unknown':
      return `not known (${time.because})`;
  }
}

function text(x: number, y: number, content: string, className = ''): string {
  return `<text x="${x}" y="${y}"${className === '' ? '' : ` class="${className}"`}>${escape(content)}</text>`;
}

function escape(content: string): string {
  return content
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
