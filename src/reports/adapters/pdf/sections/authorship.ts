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
  const runs = promptHistory.flatMap((history) => history.runs);
  if (runs.length === 0) return;
  paper.subheading('How prompts developed');
  paper.text(
    'Each prompt was committed to the log when its run was accepted; the text can be produced.',
    STYLES.body,
  );
  drawTable(paper, {
    columns: [
      { title: 'Run', share: 50 },
      { title: 'Accepted', share: 25 },
      { title: 'Prompt', share: 25 },
    ],
    rows: runs.map(({ runId, acceptedAt, promptCommitment }) => [
      { text: runId, style: STYLES.mono },
      dateTime(acceptedAt),
      promptCommitment === undefined
        ? 'none of its own'
        : `committed, ${promptCommitment.slice(0, 10)}\u2026`,
    ]),
  });
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
