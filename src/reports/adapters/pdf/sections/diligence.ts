import { type AssetDossier } from '../../../domain/dossier.js';
import { type DossierClaim, type DossierExamination } from '../../../domain/dossier-diligence.js';
import { type Paper } from '../paper.js';
import { type Cell, type CellText, drawTable } from '../table.js';
import { STYLES } from '../theme.js';
import { capitalized, dateTime, personName, plain, sealedText } from '../words.js';

/** What people found out about the files of the chain, and what outsiders claim of them. */
export function drawDiligence(paper: Paper, dossier: AssetDossier): void {
  const { examinations = [], claims = [] } = dossier;
  paper.beginSection(
    'Examinations and claims',
    'What people, or programs that they used, found out by looking at a file; and what outsiders claim of it. It is their word: an examination that found nothing is no proof that there is nothing.',
  );
  if (examinations.length === 0) paper.text('No examination is recorded.', STYLES.body);
  else drawExaminations(paper, dossier, examinations);
  paper.y += 8;
  if (claims.length === 0) {
    paper.text(
      'No claim is recorded. That is no proof that none was received: somebody has to record it.',
      STYLES.body,
    );
    return;
  }
  drawClaims(paper, claims);
}

const QUESTIONS: Readonly<Record<DossierExamination['question'], string>> = {
  third_party_matter: 'What of others it shows',
  similar_works: 'Similar earlier works',
  exclusivity: 'Exclusivity',
  claims: 'Claims that are known',
};

const small = (text: string): CellText => ({ text, style: STYLES.small });

function drawExaminations(
  paper: Paper,
  { asset }: AssetDossier,
  examinations: readonly DossierExamination[],
): void {
  drawTable(paper, {
    columns: [
      { title: 'Question', share: 22 },
      { title: 'Found', share: 43 },
      { title: 'By whom', share: 35 },
    ],
    rows: examinations.map((one) => [
      [
        { text: QUESTIONS[one.question], style: STYLES.cellStrong },
        ...(one.assetId === asset.id ? [] : [small(`Of the earlier file ${one.assetId}`)]),
      ],
      foundCell(one),
      byCell(one),
    ]),
  });
}

function foundCell({ result, matter = [], index, matches, document, ...rest }: DossierExamination): Cell {
  const shown = matter.filter(({ found }) => found === 'shown');
  const listed = (found: string): string =>
    matter
      .filter((each) => each.found === found)
      .map(({ kind }) => plain(kind))
      .join(', ');
  return [
    { text: capitalized(plain(result)), style: STYLES.cellStrong },
    ...(index === undefined ? [] : [`Searched in: ${index}. Matches: ${matches ?? 0}.`]),
    ...shown.map(({ kind, basis }) => `Shown: ${plain(kind)}. Ground: ${plain(basis ?? 'unknown')}.`),
    ...(listed('none_seen') === '' ? [] : [small(`Not seen: ${listed('none_seen')}.`)]),
    ...(listed('not_examined') === '' ? [] : [small(`Not examined: ${listed('not_examined')}.`)]),
    sealedText(rest.text, rest.textErased, 'erased'),
    ...(document === undefined ? [] : [`Document: ${document}`]),
    ...(rest.evidenceAssetId === undefined ? [] : [small(`Shown by ${rest.evidenceAssetId}`)]),
    ...(rest.evidenceSha256 === undefined ? [] : [small(`Document, SHA-256: ${rest.evidenceSha256}`)]),
  ];
}

function byCell({ examinedBy, examinedOn, tool, entryIndex, id }: DossierExamination): Cell {
  return [
    personName(examinedBy),
    ...(tool === undefined ? [] : [`with ${tool.name} ${tool.version}`]),
    small(`Looked at on ${examinedOn}, entry ${entryIndex}`),
    { text: id, style: STYLES.monoSmall },
  ];
}

function drawClaims(paper: Paper, claims: readonly DossierClaim[]): void {
  drawTable(paper, {
    columns: [
      { title: 'Claim', share: 35 },
      { title: 'What is claimed', share: 33 },
      { title: 'What became of it', share: 32 },
    ],
    rows: claims.map((claim) => [claimHead(claim), claimWords(claim), answerCell(claim)]),
  });
}

function claimHead({ kind, state, receivedOn, respondBy, assetId, id }: DossierClaim): Cell {
  return [
    { text: `${capitalized(plain(kind))}: ${state}`, style: STYLES.cellStrong },
    small(`Received on ${receivedOn}`),
    ...(respondBy === undefined ? [] : [small(`To be answered by ${respondBy}`)]),
    { text: assetId, style: STYLES.monoSmall },
    { text: id, style: STYLES.monoSmall },
  ];
}

function claimWords({ claimant, text, textErased, recordedBy, ...rest }: DossierClaim): Cell {
  return [
    ...(claimant === undefined ? [] : [{ text: claimant, style: STYLES.cellStrong }]),
    sealedText(text, textErased, 'erased'),
    ...(rest.evidenceSha256 === undefined ? [] : [small(`Document, SHA-256: ${rest.evidenceSha256}`)]),
    small(`Recorded by ${personName(recordedBy)}, entry ${rest.entryIndex}`),
  ];
}

function answerCell({ answers }: DossierClaim): Cell {
  if (answers.length === 0) return 'Nobody has answered it.';
  return answers.flatMap(({ outcome, text, textErased, answeredBy, answeredAt, ...rest }) => [
    { text: capitalized(plain(outcome)), style: STYLES.cellStrong },
    sealedText(text, textErased, 'erased'),
    ...(rest.evidenceSha256 === undefined ? [] : [small(`Document, SHA-256: ${rest.evidenceSha256}`)]),
    small(`${personName(answeredBy)}, ${dateTime(answeredAt)}, entry ${rest.entryIndex}`),
  ]);
}
