import { formatUsd } from '../../shared/money.js';
import { type DocumentViews } from '../application/make-document-report.js';
import { type ModelFile, NOT_IN_A_MODEL_FILE } from '../domain/model-file.js';
import { csvTable } from './csv-table.js';
import { renderDocumentPdf } from './pdf/document-pdf.js';
import { type Paper } from './pdf/paper.js';
import { type Cell, drawFacts, drawTable } from './pdf/table.js';
import { STYLES } from './pdf/theme.js';
import { capitalized, dateTime, plain, short } from './pdf/words.js';

export const modelFileViews: DocumentViews<ModelFile> = {
  pdf: (file, signed) =>
    renderDocumentPdf(
      {
        ...file,
        kind: 'Model file',
        title: file.listing.name,
        facts: [
          ['Listing', file.listing.id],
          ['Vendor', short(file.listing.vendor)],
          ['Channel', file.listing.channel],
          ['Access', plain(file.listing.access)],
          ['Facts, SHA-256', file.listingSha256],
        ],
      },
      signed,
      (paper) => drawModelFile(paper, file),
      LIMITS,
    ),
  csv: modelCsv,
};

const mono = (text: string): Cell => ({ text, style: STYLES.monoSmall });

function drawModelFile(paper: Paper, file: ModelFile): void {
  drawLicense(paper, file);
  drawTerms(paper, file);
  drawTraining(paper, file);
  drawIndemnity(paper, file);
  drawComponents(paper, file);
  drawHistory(paper, file);
  drawUse(paper, file);
  drawSources(paper, file);
  paper.beginSection('Not in this file');
  paper.bullets(NOT_IN_A_MODEL_FILE);
}

function drawLicense(paper: Paper, { listing: { license } }: ModelFile): void {
  paper.beginSection(
    'License',
    'As it was read on the day named. The text decides, not what is written here.',
  );
  drawFacts(paper, [
    [
      'License',
      `${license.name} (${license.spdxOrRef})${license.version === null ? '' : `, ${license.version}`}`,
    ],
    ['Text', license.url ?? 'no address is recorded'],
    ['Text, SHA-256', license.textSha256 === null ? 'no text was hashed' : mono(license.textSha256)],
    ['Read on', license.dateRead],
    ['Status', `${license.status}. ${license.statusReason}`.trim()],
    ...license.conflictingTexts.map(({ name, note }) => ['Conflicting text', `${name}: ${note}`] as const),
  ]);
}

function drawTerms(paper: Paper, { listing: { terms } }: ModelFile): void {
  paper.beginSection('Terms', 'In our own words, each with its clause and how it is known.');
  if (terms.length === 0) return paper.text('No term is recorded.', STYLES.strong);
  drawTable(paper, {
    columns: [
      { title: 'Term', share: 24 },
      { title: 'What it says', share: 46 },
      { title: 'Where', share: 18 },
      { title: 'Known by', share: 12 },
    ],
    rows: terms.map((term) => [
      [
        { text: capitalized(plain(term.kind)), style: STYLES.cellStrong },
        ...('value' in term ? [{ text: String(term.value), style: STYLES.cell }] : []),
      ],
      term.paraphrase,
      [term.clause ?? '', { text: term.source, style: STYLES.small }],
      term.verified,
    ]),
  });
}

function drawTraining(paper: Paper, { listing }: ModelFile): void {
  const { trainingData, base, datasetManifestSha256 } = listing;
  const { rightsBasis, optOuts, litigation = [] } = trainingData;
  paper.beginSection('Training data');
  drawFacts(paper, [
    ['Disclosure', `${trainingData.disclosure} (${trainingData.verified})`],
    ['Summary', trainingData.summary],
    [
      'Rights basis',
      rightsBasis === undefined ? 'unknown' : `${rightsBasis.value} (${rightsBasis.verified})`,
    ],
    ['Opt-outs', optOuts === undefined ? 'unknown' : `${optOuts.value} (${optOuts.verified})`],
    ...(base === null ? [] : [['Made from', `${base.listingId} (${base.relation})`] as const]),
    [
      'Manifest of its images',
      datasetManifestSha256 === null ? 'none is recorded' : mono(datasetManifestSha256),
    ],
    ...litigation.map(
      ({ matter, note, verified }) => ['Litigation', `${matter}: ${note} (${verified})`] as const,
    ),
  ]);
}

function drawIndemnity(paper: Paper, { listing: { indemnity } }: ModelFile): void {
  paper.beginSection('Indemnity');
  drawFacts(paper, [
    ['Offered', `${indemnity.offered} (${indemnity.verified})`],
    ['Conditions', indemnity.conditions.join('\n') || 'none are recorded'],
    ['Ended by', indemnity.voidedBy.map((cause) => plain(cause)).join(', ') || 'nothing is recorded'],
  ]);
}

function drawComponents(paper: Paper, { listing: { components } }: ModelFile): void {
  paper.beginSection('What comes along', 'Models and libraries that it loads by itself.');
  if (components.length === 0) return paper.text('No component is recorded.', STYLES.body);
  drawTable(paper, {
    columns: [
      { title: 'Component', share: 34 },
      { title: 'Role', share: 18 },
      { title: 'Listing', share: 30 },
      { title: 'Used', share: 18 },
    ],
    rows: components.map(({ name, role, listingId, use, usedWhen }) => [
      name,
      plain(role),
      listingId === null ? { text: 'no listing', style: STYLES.cellStrong } : mono(listingId),
      usedWhen === null ? use : `${use}: ${usedWhen}`,
    ]),
  });
}

function drawHistory(paper: Paper, { texts, corrections, versions, waivers }: ModelFile): void {
  paper.beginSection('What people of the organization recorded');
  const rows = [
    ...versions.map(({ at, sha256, source }) => ({ at, text: `Listing, ${source}`, detail: sha256 })),
    ...texts.map(({ at, readOn, change, sha256 }) => ({
      at,
      text: `License text read on ${readOn}: ${change}`,
      detail: sha256,
    })),
    ...corrections.map(({ at, fact, id }) => ({ at, text: `Fact corrected: ${fact}`, detail: id })),
    ...waivers.map(({ approvedAt, ruleId, reason, expiresAt, isOpen, id }) => ({
      at: approvedAt,
      text: `Exception for ${ruleId} until ${expiresAt.slice(0, 10)}${isOpen ? '' : ', ended'}: ${reason}`,
      detail: id,
    })),
  ].sort((a, b) => (a.at < b.at ? -1 : 1));
  if (rows.length === 0) {
    return paper.text(
      'Nothing: the facts are those of the product, and nobody here has checked or approved them.',
      STYLES.strong,
    );
  }
  drawTable(paper, {
    columns: [
      { title: 'When', share: 24 },
      { title: 'What', share: 44 },
      { title: 'Record', share: 32 },
    ],
    rows: rows.map(({ at, text, detail }) => [dateTime(at), text, mono(detail)]),
  });
}

function drawUse(paper: Paper, { use }: ModelFile): void {
  const { allow, review, deny } = use.decisions;
  paper.beginSection('Use in this organization');
  drawFacts(paper, [
    ['Decisions', `${allow} allowed, ${review} to be reviewed, ${deny} denied`],
    ['Steps', `${use.steps} in ${use.projects} projects`],
    [
      'First and last',
      use.firstUsedAt === null
        ? 'never used'
        : `${dateTime(use.firstUsedAt)}; ${dateTime(use.lastUsedAt ?? '')}`,
    ],
    ['Settled', `${formatUsd(BigInt(use.settledMicroUsd))} USD`],
  ]);
}

function drawSources(paper: Paper, { listing: { sources } }: ModelFile): void {
  paper.beginSection('Sources');
  drawTable(paper, {
    columns: [
      { title: 'Source', share: 18 },
      { title: 'Title and address', share: 52 },
      { title: 'Read on', share: 16 },
      { title: 'Known by', share: 14 },
    ],
    rows: sources.map(({ id, title, url, dateRead, verified }) => [
      id,
      [title, ...(url === null ? [] : [{ text: url, style: STYLES.small }])],
      dateRead,
      verified,
    ]),
  });
}

const LIMITS = [
  'This file is not legal advice and no approval. It lists what was recorded and how it is known.',
  'Terms are paraphrased as read on the given dates; the text in force decides.',
  'What vendors say of their training data was not verified. Silence is recorded as unknown, never as yes.',
];

/** One line a term, with the listing's facts beside it. */
function modelCsv({ listing, listingSha256 }: ModelFile): Buffer {
  const header = [
    'listing_id',
    'listing_sha256',
    'vendor',
    'license',
    'license_status',
    'date_read',
    'term',
    'value',
    'paraphrase',
    'clause',
    'source',
    'verified',
  ];
  const { license } = listing;
  const facts = [
    listing.id,
    listingSha256,
    listing.vendor,
    license.spdxOrRef,
    license.status,
    license.dateRead,
  ];
  const rows = listing.terms.map((term) => [
    ...facts,
    term.kind,
    'value' in term ? String(term.value) : '',
    term.paraphrase,
    term.clause ?? '',
    term.source,
    term.verified,
  ]);
  return csvTable(header, rows.length > 0 ? rows : [[...facts, ...Array<string>(6).fill('')]]);
}
