import {
  type AssetDossier,
  type DossierObligation,
  type DossierObligations,
  type DossierProof,
} from '../../../domain/dossier.js';
import { type Paper } from '../paper.js';
import { type Cell, type CellText, drawFacts, drawTable } from '../table.js';
import { STYLES } from '../theme.js';
import { capitalized, dateTime, personName, plain, sealedText } from '../words.js';

/** What must be shown or done for the asset; what nobody has proved stands first. */
export function drawObligations(paper: Paper, { obligations }: AssetDossier): void {
  paper.beginSection(
    'Obligations',
    'What the licenses behind the asset and the laws of the places where it is shown demand, as far as it was read. This is no legal advice. An obligation is open until it is proved for this very file.',
  );
  if (obligations === undefined) {
    paper.text(
      'Nothing was worked out when this asset was signed: it is older than that. It does not mean that nothing is owed.',
      STYLES.body,
    );
    return;
  }
  drawSummary(paper, obligations);
  if (obligations.items.length === 0) paper.text('None was found.', STYLES.body);
  else drawListed(paper, obligations);
  drawLater(paper, obligations);
}

const COLUMNS = [
  { title: 'State', share: 15 },
  { title: 'What must be shown or done', share: 46 },
  { title: 'Proof, or what is left to find out', share: 39 },
];

function drawListed(paper: Paper, obligations: DossierObligations): void {
  drawTable(paper, {
    columns: COLUMNS,
    rows: gapsFirst(obligations.items).map((item) => [stateCell(item), dutyCell(item), proofCell(item)]),
  });
}

const SINCE = {
  added: 'Added since the signing',
  changed: 'Reads otherwise since the signing',
  earlier: 'Read so on an earlier day, and does not any more',
} as const;

/** The list is that of the day of signing. What is owed since then, or otherwise, stands under it, with its own proofs. */
function drawLater(paper: Paper, { today, later = [] }: DossierObligations): void {
  if (today === undefined || later.length === 0) return;
  paper.y += 6;
  paper.text(
    `On ${today.asOf}, by the calendar read on ${today.calendar.readOn}, the following is owed beside this list, or otherwise than it says. It is proved as it reads now: what was said of other words does not count for it.`,
    STYLES.body,
  );
  const owed = gapsFirst(later.filter(({ since }) => since !== 'earlier'));
  const rows = [...owed, ...later.filter(({ since }) => since === 'earlier')];
  drawTable(paper, {
    columns: COLUMNS,
    rows: rows.map((item) => [
      [{ text: SINCE[item.since], style: STYLES.cellStrong }, ...stateCell(item)],
      dutyCell(item),
      proofCell(item),
    ]),
  });
}

function drawSummary(
  paper: Paper,
  { items, calendarReadOn, calendarSha256, sha256 }: DossierObligations,
): void {
  const count = (...states: string[]): number =>
    items.filter((item) => states.includes(stateWords(item))).length;
  const mono = (text: string): Cell => ({ text, style: STYLES.mono });
  const others = items.filter(({ isOfOtherModel }) => isOfOtherModel === true).length;
  drawFacts(paper, [
    [
      'Open',
      `${count('Open')} that apply, ${count('May apply')} of which it has to be found out whether they apply`,
    ],
    [
      'Settled',
      `${count('Done')} done, ${count('Not applicable')} not applicable, ${count('Waived')} waived`,
    ],
    ...(others === 0
      ? []
      : [
          [
            'Of other models',
            `${others} of these: the decision covers models with which no file of this chain was made`,
          ] as const,
        ]),
    [
      'Calendar of duties',
      [`Read on ${calendarReadOn}. SHA-256:`, { text: calendarSha256, style: STYLES.mono }],
    ],
    ['List, SHA-256', mono(sha256)],
  ]);
  paper.y += 6;
}

const ORDER = ['Open', 'May apply', 'Done', 'Waived', 'Not applicable'];

function stateWords({ state, obligation }: DossierObligation): string {
  if (state === 'open') return obligation.applies === 'yes' ? 'Open' : 'May apply';
  return capitalized(plain(state));
}

function gapsFirst<Item extends DossierObligation>(items: readonly Item[]): readonly Item[] {
  // Within one state, those of models that made nothing here come last.
  const place = (item: Item): number =>
    2 * ORDER.indexOf(stateWords(item)) + (item.isOfOtherModel === true ? 1 : 0);
  return [...items].sort((a, b) => place(a) - place(b));
}

function stateCell(item: DossierObligation): CellText[] {
  const { obligation } = item;
  const begins = obligation.inForceOn === null ? [] : [`From ${obligation.inForceOn}`];
  return [
    { text: stateWords(item), style: STYLES.cellStrong },
    { text: capitalized(plain(obligation.due)), style: STYLES.small },
    ...begins.map((text) => ({ text, style: STYLES.small })),
    ...(obligation.dateVerified ? [] : [{ text: 'Date not verified', style: STYLES.cellStrong }]),
    ...(obligation.verified ? [] : [{ text: 'Text not verified', style: STYLES.cellStrong }]),
  ];
}

const OF_OTHER_MODEL =
  'Of a model that the license decision of a run covers, and with which no file of this chain was made.';

function dutyCell({ id, obligation, isOfOtherModel }: DossierObligation): Cell {
  const { citation, exemptions } = obligation;
  const small = (text: string): CellText => ({ text, style: STYLES.small });
  const clause = citation?.section == null ? '' : `, ${citation.section}`;
  return [
    { text: `${capitalized(plain(obligation.kind))}: ${obligation.where}`, style: STYLES.cellStrong },
    obligation.text,
    ...(isOfOtherModel === true ? [{ text: OF_OTHER_MODEL, style: STYLES.cellStrong }] : []),
    small(`Owed by: ${obligation.who}.`),
    ...exemptions.map((text) => small(`Exemption: ${text}`)),
    ...(citation ? [small(`${citation.title}${clause}, read on ${citation.dateRead}`)] : []),
    ...(obligation.notVerified === null ? [] : [small(obligation.notVerified)]),
    { text: id, style: STYLES.monoSmall },
  ];
}

function proofCell({ state, obligation, proofs }: DossierObligation): Cell {
  const { systemProof, findOut, inheritedFrom } = obligation;
  const small = (text: string): CellText => ({ text, style: STYLES.small });
  const cell: (string | CellText)[] = [
    ...proofs.flatMap(proofWords),
    ...(systemProof
      ? [
          {
            text:
              systemProof.extent === 'whole' ? 'Proved by this program' : 'Proved in part by this program',
            style: STYLES.cellStrong,
          },
          systemProof.proves,
          small(`What remains: ${systemProof.remains}`),
        ]
      : []),
    ...(state === 'open' ? findOut.map((text) => small(`Find out: ${text}`)) : []),
    ...(inheritedFrom === null
      ? []
      : [small('It came with the parent'), { text: inheritedFrom, style: STYLES.monoSmall }]),
  ];
  return cell.length === 0 ? 'No proof is recorded.' : cell;
}

function proofWords(proof: DossierProof): (string | CellText)[] {
  const { outcome, provedBy, provedAt, text, textErased, url, entryIndex } = proof;
  const evidence = [
    ...(url === undefined ? [] : [`Where: ${url}`]),
    ...(proof.evidenceAssetId === undefined ? [] : [`Shown by ${proof.evidenceAssetId}`]),
    ...(proof.evidenceSha256 === undefined ? [] : [`Document, SHA-256: ${proof.evidenceSha256}`]),
  ];
  const said = outcome === 'open' ? 'Open again' : capitalized(plain(outcome));
  return [
    { text: `${said}, says ${personName(provedBy)}`, style: STYLES.cellStrong },
    sealedText(text, textErased, 'erased'),
    ...evidence.map((line) => ({ text: line, style: STYLES.small })),
    { text: `${dateTime(provedAt)}, entry ${entryIndex}`, style: STYLES.small },
  ];
}
