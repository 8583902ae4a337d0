import { type AuthorshipFacts, HUMAN_SOURCE_TYPES, isMadeByAi, type WorkFact } from './authorship-facts.js';
import { type ActGrade, gradeAct, type GradedAct } from './grade-act.js';
import { type JurisdictionStatement, jurisdictionStatements } from './jurisdictions.js';
import { isOthers, type RegistrationDraft, registrationDraft } from './registration-words.js';

/** Something about a file that no act is about. */
export interface WorkRemark {
  readonly assetId: string;
  readonly reason: string;
}

/**
 * What may be claimed, what is to be disclaimed, and what is open, from the record alone: facts and their grounds, never
 * a share of authorship and never a legal conclusion.
 */
export interface AuthorshipStatement {
  readonly claimed: readonly GradedAct[];
  readonly uncertain: readonly GradedAct[];
  readonly notClaimed: readonly GradedAct[];
  readonly disclaimedWorks: readonly WorkRemark[];
  readonly uncertainWorks: readonly WorkRemark[];
  readonly registration: RegistrationDraft;
  readonly jurisdictions: readonly JurisdictionStatement[];
  /** Whether a use case that demands a human contribution may take it: an act that may be claimed is on record. */
  readonly isSufficient: boolean;
  readonly notes: readonly string[];
}

export function authorshipStatement(given: AuthorshipFacts): AuthorshipStatement {
  const facts = inOrder(given);
  const graded = facts.acts.map(gradeAct);
  const of = (grade: ActGrade): GradedAct[] => graded.filter((one) => one.grade === grade);
  const claimed = of('claimed');
  return {
    claimed,
    uncertain: of('uncertain'),
    notClaimed: of('not_claimed'),
    disclaimedWorks: facts.works.flatMap(disclaimed),
    uncertainWorks: facts.works.flatMap(uncertain),
    registration: registrationDraft(facts, claimed),
    jurisdictions: jurisdictionStatements(facts, graded),
    isSufficient: claimed.length > 0,
    notes: notesOn(facts, claimed.length),
  };
}

/** The order in which facts are found says nothing, so it must not show. */
function inOrder({ works, acts, prompts, storyboards }: AuthorshipFacts): AuthorshipFacts {
  const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
  return {
    works: [...works].sort((a, b) => byText(a.assetId, b.assetId)),
    acts: [...acts].sort((a, b) => byText(a.contributionId, b.contributionId)),
    prompts: [...prompts].sort((a, b) => a.runs - b.runs),
    storyboards,
  };
}

function disclaimed(work: WorkFact): WorkRemark[] {
  if (isMadeByAi(work)) {
    const byWhom = work.origin === 'step' ? '' : ', as the file says itself';
    const reason = `Made or changed by a generative model${byWhom} (${work.sourceType ?? ''}).`;
    return [{ assetId: work.assetId, reason }];
  }
  if (isOthers(work))
    return [{ assetId: work.assetId, reason: 'Received from outside, and not declared as one’s own.' }];
  return [];
}

function uncertain(work: WorkFact): WorkRemark[] {
  const { assetId, origin, sourceType, relation } = work;
  if (origin === 'upload' && sourceType === undefined)
    return [{ assetId, reason: 'Received from outside; who made it is not recorded.' }];
  if (relation === 'used' && origin === 'upload' && HUMAN_SOURCE_TYPES.includes(sourceType ?? ''))
    return [
      {
        assetId,
        reason:
          'Declared as made by a person and used as an input: it counts as far as it can be perceived in the output, which is not recorded.',
      },
    ];
  return [];
}

function notesOn({ acts, works, prompts }: AuthorshipFacts, claimed: number): string[] {
  const notes = ['Prompts alone do not make authorship; they are recorded as context.'];
  const others = Math.max(0, ...prompts.map((trail) => trail.others));
  if (others > 0) notes.push(otherRunsNote(others));
  if (acts.length === 0)
    notes.push('No human contribution is recorded for this asset or anything it descends from.');
  else if (claimed === 0)
    notes.push('The acts on record do not support a claim by themselves; see the reasons.');
  else
    notes.push(
      'Whether these contributions suffice for protection is a legal question that this record does not answer.',
    );
  if (!works.some(isMadeByAi) && acts.length > 0)
    notes.push('No file in the chain is recorded as generated; what nobody declared is not known.');
  return notes;
}

/** Runs that may have been about something else are told, and count for nothing. */
export function otherRunsNote(others: number): string {
  return others === 1
    ? 'One other run of the same person in the same use case came before. Nothing recorded ties it to this file, so it is not counted; a recorded choice with its result among the candidates would.'
    : `${others} other runs of the same person in the same use case came before. Nothing recorded ties them to this file, so they are not counted; a recorded choice among their results would.`;
}
