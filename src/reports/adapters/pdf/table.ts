import { type Paper, type Structure } from './paper.js';
import { COLORS, CONTENT_BOTTOM, CONTENT_WIDTH, PAGE, STYLES, type TextStyle } from './theme.js';

/** One block of text in a cell; a cell may hold several in different styles. */
export interface CellText {
  readonly text: string;
  readonly style?: TextStyle;
}
export type Cell = string | CellText | readonly (string | CellText)[];

export interface TableColumn {
  readonly title: string;
  /** Share of the width; the shares of all columns are added up. */
  readonly share: number;
}

export interface TableOptions {
  readonly columns: readonly TableColumn[];
  readonly rows: readonly (readonly Cell[])[];
  /** Said aloud instead of the picture of the table. */
  readonly hideHeader?: boolean;
  /** Rows closer together: for what there is much of. */
  readonly isCompact?: boolean;
  readonly x?: number;
  readonly width?: number;
}

interface StyledLine {
  readonly text: string;
  readonly style: TextStyle;
}

const PADDING = { x: 6, y: 4, compactY: 2 } as const;

/** A row of at most this height is never broken over pages; a higher one is begun where this much room is left. */
const KEPT_HEIGHT = 130;
const BEGUN_HEIGHT = 60;

/** How the rows of one table are set. */
interface RowStyle {
  readonly columns: readonly PlacedColumn[];
  /** Above and below the text of a cell, in points. */
  readonly padding: number;
  /** The first cell of a row says what the row is. */
  readonly hasRowHeader: boolean;
  readonly nextPage: () => void;
}

/**
 * Draws a table. Rows break over pages between lines, the header is repeated on each page, and no text is cut off,
 * however long it is.
 */
export function drawTable(paper: Paper, options: TableOptions): void {
  const columns = place(options);
  const padding = options.isCompact === true ? PADDING.compactY : PADDING.y;
  const rows = options.rows.map((row) =>
    columns.map((column, k) => cellLines(paper, row[k] ?? '', column.width - 2 * PADDING.x)),
  );
  // A header is not left alone at the foot of a page, and neither is a heading above it.
  const [firstRow] = rows;
  paper.ensure(HEADER_HEIGHT + (firstRow === undefined ? 0 : kept(rowHeight(firstRow, padding))));
  const table = paper.element('Table');
  const header = options.columns.map(({ title }) => ({ text: title, style: STYLES.tableHead }));
  const head = (first: boolean): void => {
    if (options.hideHeader !== true) drawHeader(paper, table, columns, header, first);
  };
  const style: RowStyle = {
    columns,
    padding,
    hasRowHeader: options.hideHeader === true,
    nextPage: () => {
      paper.newPage();
      head(false);
    },
  };
  head(true);
  for (const cells of rows) drawRow(paper, table, cells, style);
  table.end();
  paper.y += 4;
}

const HEADER_HEIGHT = 20;

/** How much of a row stands together at least. */
function kept(height: number): number {
  return height <= KEPT_HEIGHT ? height : BEGUN_HEIGHT;
}

function rowHeight(cells: readonly (readonly StyledLine[])[], padding: number): number {
  return Math.max(...cells.map(heightOf)) + 2 * padding;
}

interface PlacedColumn {
  readonly x: number;
  readonly width: number;
}

function place({ columns, x = PAGE.left, width = CONTENT_WIDTH }: TableOptions): PlacedColumn[] {
  const shares = columns.reduce((sum, { share }) => sum + share, 0);
  let left = x;
  return columns.map(({ share }) => {
    const column = { x: left, width: (width * share) / shares };
    left += column.width;
    return column;
  });
}

function cellLines(paper: Paper, cell: Cell, width: number): StyledLine[] {
  const blocks = Array.isArray(cell) ? (cell as readonly (string | CellText)[]) : [cell as string | CellText];
  return blocks.flatMap((block) => {
    const { text, style = STYLES.cell } = typeof block === 'string' ? { text: block } : block;
    return paper.lines(text, style, width).map((line) => ({ text: line, style }));
  });
}

function heightOf(lines: readonly StyledLine[]): number {
  return lines.reduce((sum, { style }) => sum + style.leading, 0);
}

function drawHeader(
  paper: Paper,
  table: Structure,
  columns: readonly PlacedColumn[],
  header: readonly CellText[],
  first: boolean,
): void {
  const cells = columns.map((column, i) => cellLines(paper, header[i] ?? '', column.width - 2 * PADDING.x));
  const height = rowHeight(cells, PADDING.y);
  const top = paper.y;
  const [left, right] = [columns[0]?.x ?? 0, end(columns)];
  paper.artifact(() => paper.doc.rect(left, top, right - left, height).fill(COLORS.accentPale));
  const draw = (i: number): void =>
    drawLines(paper, cells[i] ?? [], columns[i] as PlacedColumn, top + PADDING.y);
  if (first) {
    const row = paper.element('TR', table);
    columns.forEach((_column, i) => {
      const cell = paper.element('TH', row, { scope: 'Column' });
      paper.mark(cell, 'TH', () => draw(i));
      cell.end();
    });
    row.end();
  } else paper.artifact(() => columns.forEach((_column, i) => draw(i)));
  paper.y = top + height;
}

function drawRow(
  paper: Paper,
  table: Structure,
  cells: readonly StyledLine[][],
  { columns, padding, hasRowHeader, nextPage }: RowStyle,
): void {
  const tags = columns.map((_column, i) => (hasRowHeader && i === 0 ? ('TH' as const) : ('TD' as const)));
  const row = paper.element('TR', table);
  const elements = tags.map((tag) => paper.element(tag, row, tag === 'TH' ? { scope: 'Row' } : {}));
  if (paper.y + kept(rowHeight(cells, padding)) > CONTENT_BOTTOM) nextPage();
  let rest = cells.map((lines) => [...lines]);
  do {
    const room = CONTENT_BOTTOM - paper.y - 2 * padding;
    const parts = rest.map((lines) => takeLines(lines, room));
    const top = paper.y;
    parts.forEach((lines, i) => {
      const draw = (): void => drawLines(paper, lines, columns[i] as PlacedColumn, top + padding);
      paper.mark(elements[i] as Structure, tags[i] ?? 'TD', draw);
    });
    const bottom = top + rowHeight(parts, padding);
    const [left, right] = [columns[0]?.x ?? 0, end(columns)];
    paper.artifact(() =>
      paper.doc.moveTo(left, bottom).lineTo(right, bottom).lineWidth(0.5).stroke(COLORS.rule),
    );
    paper.y = bottom;
    rest = rest.map((lines, i) => lines.slice(parts[i]?.length ?? 0));
    if (rest.some((lines) => lines.length > 0)) nextPage();
  } while (rest.some((lines) => lines.length > 0));
  for (const element of elements) element.end();
  row.end();
}

/** As many lines as fit, at least one, so that a row always gets on. */
function takeLines(lines: readonly StyledLine[], room: number): StyledLine[] {
  let height = 0;
  const fitting = lines.findIndex(({ style }, i) => {
    height += style.leading;
    return i > 0 && height > room;
  });
  return fitting < 0 ? [...lines] : lines.slice(0, fitting);
}

function drawLines(paper: Paper, lines: readonly StyledLine[], column: PlacedColumn, top: number): void {
  let y = top;
  for (const { text, style } of lines) {
    paper.line(text, column.x + PADDING.x, y, style);
    y += style.leading;
  }
}

function end(columns: readonly PlacedColumn[]): number {
  const last = columns.at(-1);
  return last ? last.x + last.width : 0;
}

/** Label and value, one pair a row: for facts. */
export function drawFacts(
  paper: Paper,
  facts: readonly (readonly [label: string, value: Cell])[],
  area: { x?: number; width?: number; labelShare?: number; isCompact?: boolean } = {},
): void {
  const { labelShare = 0.26, ...place } = area;
  drawTable(paper, {
    columns: [
      { title: 'Fact', share: labelShare },
      { title: 'Value', share: 1 - labelShare },
    ],
    rows: facts.map(([label, value]) => [{ text: label, style: STYLES.label }, value]),
    hideHeader: true,
    ...place,
  });
}
