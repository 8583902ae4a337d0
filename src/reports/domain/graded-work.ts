import { type GradedAct } from '../../contributions/domain/authorship/grade-act.js';
import { type AssetDossier, type DossierContribution } from './dossier.js';

/** A record of human work as it is to be read today, and what the authorship statement makes of it. */
export interface GradedWork {
  readonly contribution: DossierContribution;
  readonly act: GradedAct['act'] | undefined;
  /** `undefined` where the statement says nothing of it. */
  readonly grade: GradedAct['grade'] | undefined;
  readonly reason: string;
  /** As amended. */
  readonly actionType: string;
  readonly basis: string;
  readonly isWithdrawn: boolean;
  readonly isAmended: boolean;
}

/** The rows say what was declared first; what counts is what was said last, and what the rules make of it. Pure. */
export function gradedWork({
  contributions,
  authorship,
}: Pick<AssetDossier, 'contributions' | 'authorship'>): GradedWork[] {
  const { claimed = [], uncertain = [], notClaimed = [] } = authorship?.statement ?? {};
  const graded = new Map(
    [...claimed, ...uncertain, ...notClaimed].map((one) => [one.act.contributionId, one]),
  );
  return contributions.map((contribution) => {
    const found = graded.get(contribution.id);
    const corrections = contribution.corrections ?? [];
    const amended = corrections.filter(({ kind }) => kind === 'amended');
    const last = (field: 'actionType' | 'basis'): string | undefined =>
      amended.findLast((one) => one[field] !== undefined)?.[field];
    return {
      contribution,
      act: found?.act,
      grade: found?.grade,
      reason: found?.reason ?? 'It was not worked out whether it counts.',
      actionType: found?.act.actionType ?? last('actionType') ?? contribution.actionType,
      basis: found?.act.basis ?? last('basis') ?? contribution.basis,
      isWithdrawn: found?.act.isWithdrawn ?? corrections.some(({ kind }) => kind === 'withdrawn'),
      isAmended: amended.length > 0,
    };
  });
}

const GRADE_WORDS: Readonly<Record<GradedAct['grade'], string>> = {
  claimed: 'may be claimed',
  uncertain: 'uncertain whether it counts',
  not_claimed: 'not claimed',
};

export function gradeWords({ grade }: Pick<GradedWork, 'grade'>): string {
  return grade === undefined ? 'not worked out whether it counts' : GRADE_WORDS[grade];
}
