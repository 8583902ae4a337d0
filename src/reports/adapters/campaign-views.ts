import { counted } from '../../shared/counted.js';
import { type DocumentViews } from '../application/make-document-report.js';
import { type CampaignReport } from '../domain/campaign.js';
import { drawFiles, groupedCells } from './campaign-files-view.js';
import { drawSpending } from './campaign-spending-view.js';
import { csvTable } from './csv-table.js';
import { renderDocumentPdf } from './pdf/document-pdf.js';
import { type Paper } from './pdf/paper.js';
import { type CellText, drawTable } from './pdf/table.js';
import { STYLES } from './pdf/theme.js';
import { capitalized, dateTime, plain, short } from './pdf/words.js';

export const campaignViews: DocumentViews<CampaignReport> = {
  pdf: (report, signed, progress) =>
    renderDocumentPdf(
      {
        ...report,
        kind: 'Campaign report',
        title:
          report.useCase === undefined ? report.project.name : `${report.project.name}, ${report.useCase}`,
        facts: [
          ['Project', `${short(report.project.name)} (${report.project.id})`],
          ...(report.useCase === undefined ? [] : [['Use case', short(report.useCase)] as const]),
          ['Files made', spanWords(report.span)],
          ['Finished files', finishedWords(report)],
        ],
      },
      signed,
      (paper) => drawCampaign(paper, report, progress),
      LIMITS,
    ),
  csv: campaignCsv,
};

const mono = (text: string): CellText => ({ text, style: STYLES.monoSmall });
const small = (text: string): CellText => ({ text, style: STYLES.small });

function finishedWords({ assets, intermediateAssets }: CampaignReport): string {
  const tests = assets.filter(({ mode }) => mode === 'test').length;
  const finished = [
    counted(assets.length - tests, 'live file'),
    ...(tests === 0 ? [] : [counted(tests, 'test file')]),
  ].join(', ');
  return `${finished}; ${counted(intermediateAssets, 'file')} on the way to them`;
}

function spanWords({ from, until }: CampaignReport['span']): string {
  return `${from === undefined ? 'from the beginning' : `from ${dateTime(from)}`} ${
    until === undefined ? 'up to this report' : `until ${dateTime(until)}`
  }`;
}

async function drawCampaign(
  paper: Paper,
  report: CampaignReport,
  progress: (share: number) => Promise<void>,
): Promise<void> {
  await drawFiles(paper, report, progress);
  drawExpiries(paper, report);
  drawIndemnity(paper, report);
  drawSpending(paper, report);
  drawWaivers(paper, report);
  drawClaims(paper, report);
  drawChanges(paper, report);
}

function drawExpiries(paper: Paper, { expiries }: CampaignReport): void {
  paper.beginSection(
    'Expiries',
    'Exceptions, rights in files that were brought in, and the days that licenses were decided for.',
  );
  if (expiries.length === 0) return paper.text('Nothing with an end is recorded.', STYLES.body);
  drawTable(paper, {
    columns: [
      { title: 'Last day', share: 18 },
      { title: 'What', share: 42 },
      { title: 'Of', share: 40 },
    ],
    rows: bySubjects(expiries).map(({ on, text, subjects, isPast }) => [
      { text: isPast ? `${on}, ended` : on, style: isPast ? STYLES.cellStrong : STYLES.cell },
      text,
      subjects.length > SUBJECTS_NAMED
        ? [mono(subjects[0] ?? ''), small(`and ${subjects.length - 1} more, in the attached JSON`)]
        : subjects.map(mono),
    ]),
  });
}

/** Decisions of hundreds of runs may end on one day. */
const SUBJECTS_NAMED = 3;

/** What ends on one day for the same reason is one row. */
function bySubjects(expiries: CampaignReport['expiries']) {
  const rows = new Map<
    string,
    Omit<CampaignReport['expiries'][number], 'subject'> & { subjects: string[] }
  >();
  for (const { subject, ...what } of expiries) {
    const key = JSON.stringify(what);
    const known = rows.get(key);
    if (known) known.subjects.push(subject);
    else rows.set(key, { ...what, subjects: [subject] });
  }
  return [...rows.values()];
}

function drawIndemnity(paper: Paper, { indemnity }: CampaignReport): void {
  paper.beginSection(
    'Indemnity map',
    'Whether a vendor stands behind what its model returned, at the end of each run. The worst answer of all runs counts.',
  );
  if (indemnity.length === 0) return paper.text('No run of this campaign used a model.', STYLES.body);
  drawTable(paper, {
    columns: [
      { title: 'Model', share: 34 },
      { title: 'Result', share: 14 },
      { title: 'Why', share: 42 },
      { title: 'Runs', share: 10 },
    ],
    rows: indemnity.map(({ listingId, result, lostBecause, open, runs }) => [
      mono(listingId),
      { text: capitalized(result), style: result === 'lost' ? STYLES.cellStrong : STYLES.cell },
      [
        ...lostBecause.map((cause) => `Lost: ${plain(cause)}`),
        ...open.map((cause) => `Not known: ${plain(cause)}`),
      ].join('. '),
      String(runs),
    ]),
  });
}

function drawWaivers(paper: Paper, { waivers }: CampaignReport): void {
  paper.beginSection(
    'Exceptions',
    'Granted by a second person, for a time. Who granted them, and in which words, is in the dossiers and in the files on the models.',
  );
  if (waivers.length === 0) return paper.text('No exception was granted.', STYLES.body);
  drawTable(paper, {
    columns: [
      { title: 'Exception', share: 35 },
      { title: 'For', share: 35 },
      { title: 'Until', share: 30 },
    ],
    rows: waivers.map(({ id, about, reason, expiresAt, isOpen }) => [
      [capitalized(plain(reason.toLowerCase())), { text: id, style: STYLES.monoSmall }],
      { text: about, style: STYLES.monoSmall },
      [dateTime(expiresAt), isOpen ? { text: 'In force', style: STYLES.cellStrong } : 'Ended'],
    ]),
  });
}

function drawClaims(paper: Paper, { claims = [] }: CampaignReport): void {
  paper.beginSection(
    'Claims and notices',
    'What outsiders claim of these files, or of what they were made from. Who claims what is in the dossiers.',
  );
  if (claims.length === 0)
    return paper.text(
      'No claim is recorded. That is no proof that none was received: somebody has to record it.',
      STYLES.body,
    );
  drawTable(paper, {
    columns: [
      { title: 'Claim', share: 36 },
      { title: 'File', share: 36 },
      { title: 'Received', share: 15 },
      { title: 'State', share: 13 },
    ],
    rows: claims.map(({ id, kind, assetId, receivedOn, respondBy, state }) => [
      [
        { text: capitalized(plain(kind)), style: STYLES.cell },
        { text: id, style: STYLES.monoSmall },
      ],
      mono(assetId),
      [
        receivedOn,
        ...(respondBy === undefined ? [] : [{ text: `Answer by ${respondBy}`, style: STYLES.small }]),
      ],
      { text: capitalized(state), style: state === 'closed' ? STYLES.cell : STYLES.cellStrong },
    ]),
  });
}

function drawChanges(paper: Paper, { changes }: CampaignReport): void {
  paper.beginSection('Changes since the last report');
  if (changes.since === undefined)
    return paper.text('This is the first report on this campaign.', STYLES.body);
  const { reportId, createdAt } = changes.since;
  paper.text(`Since ${reportId} of ${dateTime(createdAt)}:`, STYLES.body);
  paper.y += 4;
  if (changes.items.length === 0) return paper.text('Nothing has changed.', STYLES.body);
  drawTable(paper, {
    columns: [
      { title: 'When', share: 26 },
      { title: 'What', share: 40 },
      { title: 'Of', share: 34 },
    ],
    rows: changes.items.map(({ at, text, subject }) => [dateTime(at), text, mono(subject)]),
  });
}

const LIMITS = [
  'This report is not legal advice. It lists what was recorded; what was not recorded it cannot list.',
  'That an obligation is done is the word of who proved it. Most of the calendar of legal duties rests on reports and says so.',
  'It does not promise that a file infringes no right of others, or that it is protected by copyright.',
  'Where files were used after they left this service is not recorded.',
  'An indemnity that is called intact is so by the recorded terms and stated facts; the contract decides.',
];

/** One line a cell of the matrix; files without any have one line with empty cells. */
function campaignCsv({ assets, matrix }: CampaignReport): Buffer {
  const header = [
    'asset_id',
    'title',
    'media_type',
    'mode',
    'asset_state',
    'released_at',
    'sha256',
    'market',
    'obligation',
    'source',
    'applies',
    'obligation_state',
    'blocking',
    'obligation_id',
    'text',
    'not_verified',
    'since',
  ];
  const cellsByAsset = groupedCells(matrix);
  const rows = assets.flatMap((asset) => {
    const file = [
      asset.id,
      asset.title,
      asset.mediaType,
      asset.mode,
      asset.state,
      asset.releasedAt ?? '',
      asset.sha256,
    ];
    const cells = cellsByAsset.get(asset.id) ?? [];
    if (cells.length === 0) return [[...file, ...Array<string>(10).fill('')]];
    return cells.map((cell) => [
      ...file,
      cell.market,
      cell.kind,
      cell.source,
      cell.applies,
      cell.state,
      String(cell.blocking),
      cell.obligationId,
      cell.text,
      cell.notVerified ?? '',
      cell.since ?? '',
    ]);
  });
  return csvTable(header, rows);
}
