import { setImmediate } from 'node:timers/promises';
import { type CampaignAsset, type CampaignReport, type MatrixCell } from '../domain/campaign.js';
import { type Paper } from './pdf/paper.js';
import { drawFacts, drawTable } from './pdf/table.js';
import { STYLES } from './pdf/theme.js';
import { capitalized, dateTime, plain, short } from './pdf/words.js';

/** What is owed in which market, and how it stands: a block for all live files of which the same is said. Test files are a list after them. */
export async function drawFiles(
  paper: Paper,
  { assets, matrix }: CampaignReport,
  progress: (share: number) => Promise<void>,
): Promise<void> {
  const live = assets.filter(({ mode }) => mode === 'live');
  paper.beginSection(
    'Files, markets and obligations',
    'What is owed in which market, by a law or by the license of a model in the decisions behind a file, and whether somebody proved it for that file. Files of which the same is to be said stand together. Proofs are in the dossier of the file.',
  );
  if (live.length === 0) paper.text('No live file was finished in this time.', STYLES.body);
  let drawn = 0;
  for (const group of alike(live, groupedCells(matrix))) {
    // A thousand files take seconds: whoever asks this process for something else is answered in between.
    await setImmediate();
    await progress(drawn / live.length);
    drawGroup(paper, group, drawn);
    drawn += group.assets.length;
  }
  drawTests(
    paper,
    assets.filter(({ mode }) => mode === 'test'),
  );
}

export function groupedCells(matrix: readonly MatrixCell[]): ReadonlyMap<string, readonly MatrixCell[]> {
  const byAsset = new Map<string, MatrixCell[]>();
  for (const cell of matrix) {
    const known = byAsset.get(cell.assetId);
    if (known) known.push(cell);
    else byAsset.set(cell.assetId, [cell]);
  }
  return byAsset;
}

interface Group {
  readonly assets: readonly CampaignAsset[];
  /** Of each of them, but for the ids. */
  readonly cells: readonly MatrixCell[];
}

/** In the order of their first files. */
function alike(
  assets: readonly CampaignAsset[],
  cellsByAsset: ReadonlyMap<string, readonly MatrixCell[]>,
): Iterable<Group> {
  const groups = new Map<string, { assets: CampaignAsset[]; cells: readonly MatrixCell[] }>();
  for (const asset of assets) {
    const cells = cellsByAsset.get(asset.id) ?? [];
    const said = cells.map((cell) => ({ ...cell, assetId: '', obligationId: '' }));
    const key = JSON.stringify([asset.obligationsKnown, said]);
    const known = groups.get(key);
    if (known) known.assets.push(asset);
    else groups.set(key, { assets: [asset], cells });
  }
  return groups.values();
}

function drawGroup(paper: Paper, { assets, cells }: Group, before: number): void {
  const [first] = assets;
  if (first === undefined) return;
  if (assets.length === 1) drawOne(paper, first, before + 1);
  else drawSeveral(paper, assets, before);
  if (!first.obligationsKnown) paper.text('Nobody worked out what is owed for this.', STYLES.strong);
  else if (cells.length === 0) paper.text('No obligation is recorded for this.', STYLES.body);
  else drawCells(paper, cells);
}

function drawOne(paper: Paper, asset: CampaignAsset, number: number): void {
  paper.subheading(`${number}.  ${short(asset.title)}: ${plain(asset.state)}`);
  drawFacts(
    paper,
    [
      ['File', { text: `${asset.id}  ${asset.mediaType}`, style: STYLES.mono }],
      ['SHA-256', { text: asset.sha256, style: STYLES.mono }],
    ],
    { labelShare: 0.14, isCompact: true },
  );
}

function drawSeveral(paper: Paper, assets: readonly CampaignAsset[], before: number): void {
  paper.subheading(
    `${before + 1} to ${before + assets.length}.  ${assets.length} files of which the same is owed, in the same state`,
  );
  drawTable(paper, {
    columns: [
      { title: 'No.', share: 8 },
      { title: 'Title, state', share: 36 },
      { title: 'File, SHA-256', share: 56 },
    ],
    rows: assets.map(({ title, state, id, mediaType, sha256 }, i) => [
      String(before + i + 1),
      [
        short(title),
        { text: capitalized(plain(state)), style: state === 'recalled' ? STYLES.cellStrong : STYLES.small },
      ],
      [
        { text: `${id}  ${mediaType}`, style: STYLES.monoSmall },
        { text: sha256, style: STYLES.hash },
      ],
    ]),
    isCompact: true,
  });
}

function drawCells(paper: Paper, cells: readonly MatrixCell[]): void {
  paper.y += 2;
  drawTable(paper, {
    columns: [
      { title: 'Market', share: 18 },
      { title: 'Obligation', share: 56 },
      { title: 'By', share: 10 },
      { title: 'State', share: 16 },
    ],
    rows: cells.map(({ market, kind, text, source, state, since, applies, notVerified }) => [
      market,
      [
        { text: capitalized(plain(kind)), style: STYLES.cellStrong },
        text,
        ...(notVerified === null ? [] : [{ text: notVerified, style: STYLES.small }]),
      ],
      source,
      [
        { text: capitalized(plain(state)), style: state === 'open' ? STYLES.cellStrong : STYLES.cell },
        ...(applies === 'yes' ? [] : [{ text: 'may apply', style: STYLES.small }]),
        ...(since === 'added' || since === 'changed'
          ? [{ text: `${since} since the signing`, style: STYLES.small }]
          : []),
      ],
    ]),
    isCompact: true,
  });
}

/** Nothing of them is meant to be shown to anybody, so what would be owed for them stands in the tables for machines alone. */
function drawTests(paper: Paper, tests: readonly CampaignAsset[]): void {
  if (tests.length === 0) return;
  paper.beginSection(
    'Test files',
    'Made with test keys and marked as tests; not for publication. What would be owed for them is in the CSV and in the attached JSON.',
  );
  drawTable(paper, {
    columns: [
      { title: 'Title', share: 34 },
      { title: 'File', share: 36 },
      { title: 'Made', share: 30 },
    ],
    rows: tests.map(({ title, id, createdAt }) => [
      short(title),
      { text: id, style: STYLES.monoSmall },
      dateTime(createdAt),
    ]),
    isCompact: true,
  });
}
