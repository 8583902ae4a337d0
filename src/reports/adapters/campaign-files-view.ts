import { setImmediate } from 'node:timers/promises';
import { type CampaignAsset, type CampaignReport, type MatrixCell } from '../domain/campaign.js';
import { type Paper } from './pdf/paper.js';
import { drawFacts, drawTable } from './pdf/table.js';
import { STYLES } from './pdf/theme.js';
import { capitalized, dateTime, plain, short } from './pdf/words.js';

/** A block for each live file: what is owed in which market, and how it stands. Test files are a list after them. */
export async function drawFiles(
  paper: Paper,
  { assets, matrix }: CampaignReport,
  progress: (share: number) => Promise<void>,
): Promise<void> {
  const live = assets.filter(({ mode }) => mode === 'live');
  paper.beginSection(
    'Files, markets and obligations',
    'One block a file: what is owed in which market, by a law or by the license of a model in the decisions behind the file, and whether somebody proved it. Proofs are in the dossier of the file.',
  );
  if (live.length === 0) paper.text('No live file was finished in this time.', STYLES.body);
  const cellsByAsset = groupedCells(matrix);
  for (const [i, asset] of live.entries()) {
    // A thousand files take seconds: whoever asks this process for something else is answered in between.
    await setImmediate();
    await progress(i / live.length);
    drawFile(paper, asset, cellsByAsset.get(asset.id) ?? [], i + 1);
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

function drawFile(paper: Paper, asset: CampaignAsset, cells: readonly MatrixCell[], number: number): void {
  paper.subheading(`${number}.  ${short(asset.title)}: ${plain(asset.state)}`, 130);
  drawFacts(
    paper,
    [
      ['File', { text: `${asset.id}  ${asset.mediaType}`, style: STYLES.mono }],
      ['SHA-256', { text: asset.sha256, style: STYLES.mono }],
    ],
    { labelShare: 0.14, isCompact: true },
  );
  if (!asset.obligationsKnown) paper.text('Nobody worked out what is owed for this file.', STYLES.strong);
  else if (cells.length === 0) paper.text('No obligation is recorded for this file.', STYLES.body);
  else drawCells(paper, cells);
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
      { title: 'Title', share: 36 },
      { title: 'File', share: 40 },
      { title: 'Made', share: 24 },
    ],
    rows: tests.map(({ title, id, createdAt }) => [
      short(title),
      { text: id, style: STYLES.monoSmall },
      dateTime(createdAt),
    ]),
    isCompact: true,
  });
}
