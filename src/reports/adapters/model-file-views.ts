import { formatUsd } from '../../shared/money.js';
import { type DocumentViews } from '../application/make-document-report.js';
import { counted } from '../../shared/counted.js';
import { type ModelFile, type ModelWaiver, NOT_IN_A_MODEL_FILE } from '../domain/model-file.js';
import { csvTable } from './csv-table.js';
import { renderDocumentPdf } from './pdf/document-pdf.js';
import { type Paper } from './pdf/paper.js';
import { type Cell, type CellText, drawFacts, drawTable } from './pdf/table.js';
import { STYLES } from './pdf/theme.js';
import { capitalized, dateTime, personName, plain, sealedText, short } from './pdf/words.js';

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
          ['Facts, SHA-256', { text: file.listingSha256, style: STYLES.mono }],
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
  drawWaivers(paper, file);
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
      [...(term.clause === null ? [] : [term.clause]), { text: term.source, style: STYLES.small }],
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

function drawHistory(paper: Paper, { texts, corrections, versions }: ModelFile): void {
  paper.beginSection('What people of the organization recorded');
  const rows = [
    ...versions.map(({ at, sha256, source }) => ({ at, text: `Listing, ${source}`, detail: sha256 })),
    ...texts.map(({ at, readOn, change, sha256 }) => ({
      at,
      text: `License text read on ${readOn}: ${change}`,
      detail: sha256,
    })),
    ...corrections.map(({ at, fact, id }) => ({ at, text: `Fact corrected: ${fact}`, detail: id })),
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
    ['Steps', `${counted(use.steps, 'step')} in ${counted(use.projects, 'project')}`],
    [
      'First and last',
      use.firstUsedAt === null
        ? 'never used'
        : `${dateTime(use.firstUsedAt)}; ${dateTime(use.lastUsedAt ?? '')}`,
    ],
    ['Settled', `${formatUsd(BigInt(use.settledMicroUsd))} USD`],
    ...failures(use.chargedFailures),
    ...((use.testSteps ?? 0) === 0
      ? []
      : [
          [
            'With test keys',
            `${counted(use.testSteps ?? 0, 'step')}, in no number above: the sandbox played the model`,
          ] as const,
        ]),
  ]);
}

function failures(charged: ModelFile['use']['chargedFailures']): (readonly [string, string])[] {
  if (charged === undefined || charged.steps === 0) return [];
  const cost = `${formatUsd(BigInt(charged.settledMicroUsd))} USD`;
  return [['Charged failures', `${cost} in ${counted(charged.steps, 'step')}, in no number above`]];
}

/** Who accepted what a license decision left open, and why: without it, work that went ahead looks as if nobody had. */
function drawWaivers(paper: Paper, { listing, waivers }: ModelFile): void {
  paper.beginSection(
    'Exceptions',
    'What a second person accepted of this model, or of decisions in which it is, for a time. A decision that denies cannot be accepted.',
  );
  if (waivers.length === 0) return paper.text('No exception was granted.', STYLES.body);
  drawTable(paper, {
    columns: [
      { title: 'What was accepted', share: 36 },
      { title: 'Why', share: 32 },
      { title: 'By whom, until when', share: 32 },
    ],
    rows: waivers.map((waiver) => [acceptedCell(waiver, listing.id), whyCell(waiver), byCell(waiver)]),
  });
}

const small = (text: string): CellText => ({ text, style: STYLES.small });

function acceptedCell(waiver: ModelWaiver, listingId: string): Cell {
  const { clearanceId, findings, project, useCase, runs, id } = waiver;
  const own = findings.filter((one) => one.listingId === listingId || one.listingId === null);
  const others = findings.filter((one) => one.listingId !== listingId && one.listingId !== null);
  return [
    {
      text:
        clearanceId === null
          ? 'One finding, wherever the project meets it'
          : 'All that one license decision left open',
      style: STYLES.cellStrong,
    },
    ...own.map((one) =>
      one.listingId === null
        ? `${one.ruleId}, of the lineage as a whole or an input`
        : `${one.ruleId}, of this model`,
    ),
    ...(own.length === 0 ? ['Nothing of this model; of others in the same decision:'] : []),
    ...others.map((one) => small(`${one.ruleId}, of ${one.listingId ?? ''}`)),
    ...(project === null
      ? []
      : [small(`In ${short(project.name)}${useCase === null ? '' : `, ${short(useCase)}`}`)]),
    ...(runs === null ? [] : [small(`${counted(runs, 'run')} began under the decision`)]),
    ...(clearanceId === null ? [] : [{ text: clearanceId, style: STYLES.monoSmall }]),
    { text: id, style: STYLES.monoSmall },
  ];
}

function whyCell({ reason, comment, commentErased }: ModelWaiver): Cell {
  return [
    { text: capitalized(plain(reason.toLowerCase())), style: STYLES.cellStrong },
    sealedText(comment, commentErased, 'No words are recorded.'),
  ];
}

const ENDED: Readonly<Record<NonNullable<ModelWaiver['endedBecause']>, string>> = {
  date: 'Ended on its day',
  'license-text': 'Ended: the text of a license changed',
  facts: 'Ended: facts on a model changed',
  'decided-again': 'Ended: it was decided again',
};

function byCell(waiver: ModelWaiver): Cell {
  const { approvedBy, requestedBy, approvedAt, expiresAt, endedBecause, endedAt, entryIndex } = waiver;
  const entry = entryIndex === undefined ? '' : `, entry ${entryIndex}`;
  return [
    personName(approvedBy),
    small(`On ${dateTime(approvedAt)}${entry}`),
    small(`Asked for by ${personName(requestedBy)}`),
    endedBecause === null
      ? { text: `In force until ${dateTime(expiresAt)}`, style: STYLES.cellStrong }
      : `${ENDED[endedBecause]}${endedAt === null ? '' : `, ${dateTime(endedAt)}`}`,
  ];
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
