import { type AssetDossier, type DossierModel, type DossierRun } from '../../../domain/dossier.js';
import { type Paper } from '../paper.js';
import { type Cell, drawFacts, drawTable } from '../table.js';
import { STYLES } from '../theme.js';
import {
  capitalized,
  dateTime,
  list,
  personName,
  plain,
  sealedText,
  twoLines,
  wholeDollars,
} from '../words.js';

/** One table row a model: on which text, read when, and what it was trained on. */
export function drawModels(paper: Paper, { models }: AssetDossier): void {
  paper.beginSection(
    'Models and licenses',
    'As the license decision knew them: terms were read from the text with the given hash on the given date. What has been recorded otherwise since is said with each model.',
  );
  if (models.length === 0) {
    paper.text('No model took part.', STYLES.body);
    return;
  }
  drawTable(paper, {
    columns: [
      { title: 'Model and channel', share: 24 },
      { title: 'License', share: 41 },
      { title: 'Training data and indemnity', share: 35 },
    ],
    rows: models.map((model) => [modelCell(model), licenseCell(model), trainingCell(model)]),
  });
}

function modelCell({ name, vendor, channel, listingId, stepKeys }: DossierModel): Cell {
  return [
    { text: name, style: STYLES.cellStrong },
    `${vendor}, through ${channel}`,
    { text: listingId, style: STYLES.monoSmall },
    { text: `Steps: ${list(stepKeys, 'none')}`, style: STYLES.small },
  ];
}

function licenseCell({ license, changedSince }: DossierModel): Cell {
  return [
    license.name,
    { text: license.reference, style: STYLES.small },
    ...(license.url === undefined ? [] : [{ text: license.url, style: STYLES.small }]),
    { text: `Read on ${license.dateRead}. SHA-256 of the text:`, style: STYLES.small },
    license.textSha256 === undefined
      ? { text: 'not archived', style: STYLES.cellStrong }
      : { text: twoLines(license.textSha256), style: STYLES.monoSmall },
    ...changedSince.map((text) => ({ text, style: STYLES.cellStrong })),
  ];
}

function trainingCell({ trainingData, indemnity }: DossierModel): Cell {
  return [
    { text: `Disclosed: ${plain(trainingData.disclosure)}`, style: STYLES.cellStrong },
    trainingData.summary,
    { text: 'Indemnity', style: STYLES.cellStrong },
    capitalized(indemnity),
  ];
}

/** The decision of each run with everything it rests on. */
export function drawClearances(paper: Paper, { runs }: AssetDossier): void {
  paper.beginSection(
    'License decisions',
    'Before a run, its models and inputs are checked against the declared facts. The decision holds for these facts only.',
  );
  if (runs.length === 0) paper.text('No run took part, so nothing was decided.', STYLES.body);
  for (const run of runs) drawClearance(paper, run);
}

function drawClearance(paper: Paper, run: DossierRun): void {
  const { clearance } = run;
  paper.subheading(
    `${capitalized(clearance.decision)}: pipeline ${run.pipeline}, version ${run.pipelineVersion}`,
  );
  const mono = (text: string): Cell => ({ text, style: STYLES.mono });
  drawFacts(paper, [
    ['Run', mono(run.id)],
    [
      'Begun, state',
      `${dateTime(run.createdAt)}, ${plain(run.state.toLowerCase())}${run.mode === 'test' ? ', test key' : ''}`,
    ],
    ['Prompt', sealedText(run.prompt, run.promptErased, 'none')],
    ['Decision', mono(`${clearance.id}, entry ${clearance.entryIndex}, engine ${clearance.engineVersion}`)],
    ['Terms, SHA-256', mono(clearance.termsSha256)],
    ['Input, SHA-256', mono(clearance.inputSha256)],
    ...declaredFacts(clearance.facts),
  ]);
  drawFindings(paper, run);
  drawObligations(paper, run);
  drawWaivers(paper, run);
}

function declaredFacts(facts: DossierRun['clearance']['facts']): (readonly [string, Cell])[] {
  const { audienceCountries, fieldsOfUse } = facts;
  const countries = audienceCountries === 'worldwide' ? 'worldwide' : audienceCountries.join(', ');
  return [
    ['Purpose', plain(facts.purpose)],
    ['Shown in', countries],
    ['Shown from, to', `${facts.campaignStart ?? 'open'} to ${facts.campaignEnd ?? 'open'}`],
    [
      'Revenue',
      `organization ${wholeDollars(facts.organizationRevenueUsd)}; with affiliates ${wholeDollars(facts.organizationRevenueWithAffiliatesUsd)}; product ${wholeDollars(facts.productRevenueUsd)}`,
    ],
    [
      'Users a month',
      `${facts.monthlyActiveUsers}; with affiliates ${facts.monthlyActiveUsersWithAffiliates}; visits ${facts.monthlyVisits}`,
    ],
    ['Shows people', facts.showsPeople ?? 'unknown'],
    ['Fields of use', fieldsOfUse === 'unknown' ? 'unknown' : fieldsOfUse.map(plain).join(', ')],
    [
      'Planned',
      `human review ${facts.humanReviewPlanned}; label ${facts.labelPlanned}; edits ${facts.editsPlanned}`,
    ],
  ];
}

function drawFindings(paper: Paper, { clearance }: DossierRun): void {
  if (clearance.findings.length === 0) return;
  paper.y += 6;
  drawTable(paper, {
    columns: [
      { title: 'Finding', share: 14 },
      { title: 'What was found', share: 46 },
      { title: 'On which term', share: 40 },
    ],
    rows: clearance.findings.map((finding) => [
      [
        { text: capitalized(finding.severity), style: STYLES.cellStrong },
        { text: plain(finding.ruleId), style: STYLES.small },
      ],
      [finding.message, { text: finding.howToFix, style: STYLES.small }],
      termCell(finding),
    ]),
  });
}

function termCell({
  listingId,
  term,
}: Pick<DossierRun['clearance']['findings'][number], 'listingId' | 'term'>): Cell {
  const listing = { text: listingId ?? 'the lineage as a whole', style: STYLES.monoSmall };
  if (term === null) return ['No term was found for this.', listing];
  const clause = term.clause === null ? '' : `, clause ${term.clause}`;
  const source = `${term.source.title}${clause}, read on ${term.source.dateRead}`;
  return [term.paraphrase, { text: source, style: STYLES.small }, listing];
}

function drawObligations(paper: Paper, { clearance }: DossierRun): void {
  if (clearance.obligations.length === 0) return;
  paper.y += 6;
  drawTable(paper, {
    columns: [
      { title: 'Obligation', share: 18 },
      { title: 'What must be done', share: 52 },
      { title: 'When, for which model', share: 30 },
    ],
    rows: clearance.obligations.map(({ kind, text, due, listingId }) => [
      { text: capitalized(plain(kind)), style: STYLES.cellStrong },
      text,
      [capitalized(plain(due)), { text: listingId ?? 'all', style: STYLES.monoSmall }],
    ]),
  });
}

function drawWaivers(paper: Paper, { waivers }: DossierRun): void {
  if (waivers.length === 0) return;
  paper.y += 6;
  drawTable(paper, {
    columns: [
      { title: 'Waiver', share: 35 },
      { title: 'Why', share: 35 },
      { title: 'By whom, until when', share: 30 },
    ],
    rows: waivers.map(
      ({ id, finding, reason, comment, commentErased, approvedBy, approvedAt, expiresAt }) => [
        [
          { text: capitalized(plain(reason.toLowerCase())), style: STYLES.cellStrong },
          {
            text:
              finding === undefined
                ? 'For all that the decision left open'
                : `For ${finding.ruleId} of ${finding.listingId}, wherever the project meets it`,
            style: STYLES.small,
          },
          { text: id, style: STYLES.monoSmall },
        ],
        sealedText(comment, commentErased, 'none'),
        [personName(approvedBy), `${dateTime(approvedAt)}; expires ${dateTime(expiresAt)}`],
      ],
    ),
  });
}
