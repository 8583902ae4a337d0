import { type DossierAsset } from '../../domain/dossier.js';
import { type ChainBox, type ChainLayout, layOutChain } from './chain-layout.js';
import { type Paper } from './paper.js';
import { type Pictures } from './pictures.js';
import { COLORS, CONTENT_BOTTOM, CONTENT_WIDTH, PAGE, STYLES } from './theme.js';
import { originWords } from './words.js';

const COLUMNS = 4;
const GAP = { x: 26, y: 16 } as const;
const BOX = { width: (CONTENT_WIDTH - (COLUMNS - 1) * GAP.x) / COLUMNS, picture: 72, height: 128 } as const;
/** Room above a band for arrows that pass over boxes. */
const LANE = 14;

interface Placed extends ChainBox {
  readonly x: number;
  readonly y: number;
  readonly page: number;
}

/** The chain of title as a picture: a box for each asset, oldest first, and an arrow from what it was made from. */
export function drawChain(paper: Paper, pictures: Pictures, chain: readonly DossierAsset[]): void {
  const layout = layOutChain(chain, COLUMNS);
  const assets = new Map(chain.map((asset) => [asset.id, asset]));
  const alt = describe(chain);
  const placed = new Map<string, Placed>();
  let page = 0;
  layout.rowsOfBand.forEach((rowCount, band) => {
    const rows = Array.from({ length: rowCount }, (_, row) => row);
    const height = LANE + rowCount * (BOX.height + GAP.y);
    // A band that is higher than a page is drawn row by row, and arrows between its rows become numbers.
    const parts = height <= CONTENT_BOTTOM - PAGE.top ? [rows] : rows.map((row) => [row]);
    for (const part of parts) {
      if (paper.y + LANE + part.length * (BOX.height + GAP.y) - GAP.y > CONTENT_BOTTOM) {
        paper.newPage();
        page += 1;
      }
      const top = paper.y + LANE;
      const boxes = layout.boxes.filter((box) => box.band === band && part.includes(box.row));
      const drawn = boxes.map((box) => {
        const y = top + (box.row - (part[0] ?? 0)) * (BOX.height + GAP.y);
        return { ...box, x: PAGE.left + box.column * (BOX.width + GAP.x), y, page };
      });
      for (const box of drawn) placed.set(box.id, box);
      const isFirst = band === 0 && part[0] === 0;
      drawPart(paper, pictures, assets, drawn, {
        layout,
        placed,
        alt: isFirst ? alt : 'Continuation of the chain.',
      });
      paper.y = top + part.length * (BOX.height + GAP.y);
    }
  });
}

function drawPart(
  paper: Paper,
  pictures: Pictures,
  assets: ReadonlyMap<string, DossierAsset>,
  boxes: readonly Placed[],
  context: { layout: ChainLayout; placed: ReadonlyMap<string, Placed>; alt: string },
): void {
  const figure = paper.element('Figure', undefined, { alt: context.alt });
  paper.mark(figure, 'Figure', () => {
    for (const box of boxes) {
      const asset = assets.get(box.id);
      if (asset) drawBox(paper, pictures, box, asset);
      drawArrowsTo(paper, box, context.layout, context.placed);
    }
  });
  figure.end();
}

function drawBox(paper: Paper, pictures: Pictures, box: Placed, asset: DossierAsset): void {
  const { doc } = paper;
  const { x, y } = box;
  doc.roundedRect(x, y, BOX.width, BOX.height, 3).lineWidth(0.8).fillAndStroke(COLORS.paper, COLORS.rule);
  pictures.draw(asset.id, { x: x + 5, y: y + 5, width: BOX.width - 10, height: BOX.picture, centered: true });
  doc.circle(x + 12, y + 12, 8).fill(COLORS.accent);
  const label = String(box.number);
  doc.font('strong').fontSize(7.6);
  paper.line(label, x + 12 - doc.widthOfString(label) / 2, y + 6.6, { ...STYLES.chip, color: COLORS.paper });
  const width = BOX.width - 12;
  const title = paper.lines(asset.title, STYLES.cellStrong, width);
  const lines = title.length > 1 ? [`${(title[0] ?? '').slice(0, -1)}\u2026`] : title;
  paper.line(lines[0] ?? '', x + 6, y + BOX.picture + 9, STYLES.cellStrong);
  const origin = paper.lines(originWords(asset), STYLES.small, width);
  paper.line(origin[0] ?? '', x + 6, y + BOX.picture + 22, STYLES.small);
  const source = paper.lines(shortSource(asset), STYLES.small, width);
  paper.line(source[0] ?? '', x + 6, y + BOX.picture + 34, STYLES.small);
}

function shortSource({ digitalSourceType, step }: DossierAsset): string {
  const words: Readonly<Record<string, string>> = {
    trainedAlgorithmicMedia: 'Generative AI',
    compositeWithTrainedAlgorithmicMedia: 'Edited with AI',
    humanEdits: 'By their own word',
    digitalCapture: 'Photograph',
    digitalCreation: 'By their own word',
    algorithmicMedia: 'Algorithm, no AI',
    algorithmicallyEnhanced: 'Algorithm, no AI',
  };
  return digitalSourceType === undefined
    ? step
      ? 'No new content'
      : 'Source not declared'
    : (words[digitalSourceType] ?? digitalSourceType);
}

function drawArrowsTo(
  paper: Paper,
  to: Placed,
  layout: ChainLayout,
  placed: ReadonlyMap<string, Placed>,
): void {
  const elsewhere: number[] = [];
  for (const edge of layout.edges.filter((candidate) => candidate.to.id === to.id)) {
    const from = placed.get(edge.from.id);
    if (from && from.page === to.page && from.band === to.band) drawArrow(paper, from, to);
    else elsewhere.push(edge.from.number);
  }
  if (elsewhere.length === 0) return;
  // The parent stands on another line or page: a short arrow from above with its number.
  const x = to.x + 20;
  paper.doc
    .moveTo(x, to.y - LANE + 2)
    .lineTo(x, to.y - 4)
    .lineWidth(1)
    .stroke(COLORS.accent);
  arrowHead(paper, x, to.y, 'down');
  const label = `from ${elsewhere.slice(0, 6).join(', ')}${elsewhere.length > 6 ? '\u2026' : ''}`;
  paper.line(label, x + 6, to.y - LANE, { ...STYLES.small, color: COLORS.accent });
}

function drawArrow(paper: Paper, from: Placed, to: Placed): void {
  const { doc } = paper;
  const middle = BOX.picture / 2 + 5;
  const [startX, startY] = [from.x + BOX.width, from.y + middle];
  const [endX, endY] = [to.x, to.y + middle];
  const lane = to.x - GAP.x / 2;
  if (to.column - from.column === 1) {
    doc
      .moveTo(startX, startY)
      .lineTo(lane, startY)
      .lineTo(lane, endY)
      .lineTo(endX - 4, endY);
  } else {
    // Over the boxes in between, never through them.
    const over = from.y - LANE / 2 + 1;
    const start = startX + GAP.x / 2 - 4;
    doc
      .moveTo(startX, startY - 8)
      .lineTo(start, startY - 8)
      .lineTo(start, over)
      .lineTo(lane, over);
    doc.lineTo(lane, endY).lineTo(endX - 4, endY);
  }
  doc.lineWidth(1).stroke(COLORS.accent);
  arrowHead(paper, endX, endY, 'right');
}

function arrowHead(paper: Paper, x: number, y: number, direction: 'right' | 'down'): void {
  const { doc } = paper;
  if (direction === 'right') doc.polygon([x, y], [x - 6, y - 3.5], [x - 6, y + 3.5]);
  else doc.polygon([x, y], [x - 3.5, y - 6], [x + 3.5, y - 6]);
  doc.fill(COLORS.accent);
}

/** The same in words, for readers who cannot see the picture. */
function describe(chain: readonly DossierAsset[]): string {
  const numbers = new Map(chain.map(({ id }, i) => [id, i + 1]));
  const parts = chain.map((asset, i) => {
    const parents = asset.parents.flatMap(({ assetId }) => numbers.get(assetId) ?? []);
    const from = parents.length > 0 ? `, made from ${parents.join(' and ')}` : '';
    return `${i + 1}: ${originWords(asset)}, ${shortSource(asset)}${from}`;
  });
  return `Chain of title. ${parts.join('. ')}.`.slice(0, 4000);
}
