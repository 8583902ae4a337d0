import { type ReviewDecision } from '../contribution.js';

/** What the use cases behind an asset ask for before it is released. */
export interface ReviewNeeds {
  /** Different people. */
  readonly approvals: 1 | 2;
  /** A human contribution that the record supports. */
  readonly humanContribution: boolean;
  /** Every point of the checklist is confirmed with each approval. */
  readonly checklist: boolean;
}

export interface MadeDecision {
  readonly reviewerId: string;
  readonly decision: ReviewDecision;
}

export const REVIEW_STANDINGS = [
  'in_review',
  'changes_requested',
  'approved',
  'rejected',
  'released',
  'recalled',
] as const;
export type ReviewStanding = (typeof REVIEW_STANDINGS)[number];

/**
 * Where an asset stands. The database decides by the same rules (migration 0030).
 * @param decisions in any order: what counts is who said what, not when
 */
export function reviewStanding(
  decisions: readonly MadeDecision[],
  needs: Pick<ReviewNeeds, 'approvals'>,
  { isReleased, isRecalled }: { readonly isReleased: boolean; readonly isRecalled: boolean },
): ReviewStanding {
  if (isRecalled) return 'recalled';
  if (isReleased) return 'released';
  const objections = standingObjections(decisions);
  if (objections.some(({ decision }) => decision === 'reject')) return 'rejected';
  if (objections.length > 0) return 'changes_requested';
  return approversOf(decisions).size >= needs.approvals ? 'approved' : 'in_review';
}

/** Rejections, and wishes for changes of people who have not approved: in the order given. */
export function standingObjections<T extends MadeDecision>(decisions: readonly T[]): T[] {
  const approvers = approversOf(decisions);
  return decisions.filter(
    ({ decision, reviewerId }) =>
      decision === 'reject' || (decision === 'request_changes' && !approvers.has(reviewerId)),
  );
}

/** Two approvals by one person count once. */
export function approversOf(decisions: readonly MadeDecision[]): Set<string> {
  return new Set(
    decisions.flatMap(({ decision, reviewerId }) => (decision === 'approve' ? [reviewerId] : [])),
  );
}
