import { otherRunsNote } from '../../../../contributions/domain/authorship/authorship-statement.js';
import { type GradedAct } from '../../../../contributions/domain/authorship/grade-act.js';
import { type AssetDossier } from '../../../domain/dossier.js';
import { type Paper } from '../paper.js';
import { type Cell, drawFacts, drawTable } from '../table.js';
import { STYLES } from '../theme.js';
import { capitalized, dateTime, plain } from '../words.js';

/** What may be claimed, what is to be disclaimed and what is open, with a draft in the words of the registration form. */
export function drawAuthorship(paper: Paper, { authorship }: AssetDossier): void {
  if (authorship === undefined) return;
  const { statement, promptHistory } = authorship;
  paper.beginSection(
    'Authorship statement',
    'Worked out from the records by fixed rules. It states what the record holds and lacks, and is no legal opinion. Prompts alone do not make authorship.',
  );
  drawTable(paper, {
    columns: [
      { title: 'Part', share: 34 },
      { title: 'Standing', share: 16 },
      { title: 'Why', share: 50 },
    ],
    rows: [
      ...statement.claimed.map((act) => actRow(act, 'Claimed')),
      ...statement.uncertain.map((act) => actRow(act, 'Uncertain')),
      ...statement.notClaimed.map((act) => actRow(act, 'Not claimed')),
      ...statement.disclaimedWorks.map((work) => workRow(work, 'Disclaimed')),
      ...statement.uncertainWorks.map((work) => workRow(work, 'Uncertain')),
    ],
    isCompact: true,
  });
  drawDraft(paper, statement.registration);
  drawJurisdictions(paper, statement.jurisdictions);
  drawPrompts(paper, promptHistory);
}

/** Runs that something recorded ties to the file; the others are counted, and listed in dossier.json alone. */
function drawPrompts(
  paper: Paper,
  promptHistory: NonNullable<AssetDossier['authorship']>['promptHistory'],
): void {
  const all = promptHistory.flatMap((history) => history.runs);
  if (all.length === 0) return;
  paper.subheading('How prompts developed');
  paper.text(
    'Each prompt was committed to the log when its run was accepted; the text can be produced.',
    STYLES.body,
  );
  drawTable(paper, {
    columns: [
      { title: 'Run', share: 44 },
      { title: 'Accepted', share: 24 },
      { title: 'Part in this file', share: 14 },
      { title: 'Prompt', share: 18 },
    ],
    rows: all
      .filter(({ relation }) => relation !== 'other')
      .map(({ runId, acceptedAt, promptCommitment, relation }) => [
        { text: runId, style: STYLES.mono },
        dateTime(acceptedAt),
        relation === 'behind' ? 'made it' : 'attempt',
        promptCommitment === undefined
          ? 'none of its own'
          : `committed, ${promptCommitment.slice(0, 10)}\u2026`,
      ]),
  });
  const others = Math.max(
    ...promptHistory.map(({ runs }) => runs.filter(({ relation }) => relation === 'other').length),
  );
  if (others > 0) paper.text(otherRunsNote(others), STYLES.body);
}

function workRow(
  { assetId, reason }: { readonly assetId: string; readonly reason: string },
  standing: string,
): Cell[] {
  return [{ text: assetId, style: STYLES.monoSmall }, standing, reason];
}

function actRow({ act, reason }: GradedAct, standing: string): Cell[] {
  const what = capitalized(plain(act.actionType.toLowerCase()));
  const id = { text: act.contributionId, style: STYLES.monoSmall };
  return [[`${what}, ${plain(act.capture)}`, id], standing, reason];
}

function drawDraft(
  paper: Paper,
  draft: NonNullable<AssetDossier['authorship']>['statement']['registration'],
): void {
  paper.subheading('Draft for registration (U.S. Standard Application)');
  const none = 'The record supports no words here';
  drawFacts(paper, [
    ['Author created', draft.authorCreated ?? none],
    ['Material excluded', draft.materialExcluded ?? 'None on record'],
    [
      'New material included',
      draft.newMaterialIncluded ??
        (draft.materialExcluded === null ? 'Not needed: nothing is excluded' : none),
    ],
    ['Note to the office', draft.noteToOffice],
  ]);
}

function drawJurisdictions(
  paper: Paper,
  jurisdictions: NonNullable<AssetDossier['authorship']>['statement']['jurisdictions'],
): void {
  paper.subheading('What the record supports and lacks, by jurisdiction', 150);
  drawTable(paper, {
    columns: [
      { title: '', share: 7 },
      { title: 'Record', share: 12 },
      { title: 'Holds', share: 22 },
      { title: 'Lacks', share: 23 },
      { title: 'Background', share: 36 },
    ],
    rows: jurisdictions.map(({ code, record, supports, lacks, background }) => [
      { text: code, style: STYLES.cellStrong },
      record,
      supports.join('; ') || 'nothing',
      lacks.join('; ') || 'nothing that was looked for',
      background.map(({ text, read }) => (read === 'primary' ? text : `${text} [${read}]`)).join(' '),
    ]),
  });
}
