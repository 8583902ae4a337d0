import {
  approversOf,
  type ReviewStanding,
  reviewStanding,
  standingObjections as objectionsAmong,
} from '../../contributions/domain/review/review-standing.js';
import { type AssetDossier, type DossierReview } from './dossier.js';

type Decided = Pick<
  AssetDossier,
  'review' | 'reviews' | 'standing' | 'approvalsNeeded' | 'release' | 'recall'
>;

/** What the release of an asset goes by, for all that a dossier says of its review. Pure. */

/** All decisions, oldest first. */
export function reviewsOf({
  reviews,
  review,
}: Pick<Decided, 'review' | 'reviews'>): readonly DossierReview[] {
  return reviews ?? (review ? [review] : []);
}

/** As it was when the report was made. */
export function standingOf(dossier: Decided): ReviewStanding {
  const { standing, approvalsNeeded = 1, release, recall } = dossier;
  const outcome = { isReleased: release !== undefined, isRecalled: recall !== undefined };
  return standing ?? reviewStanding(made(reviewsOf(dossier)), { approvals: approvalsNeeded }, outcome);
}

/** Rejections, and wishes for changes whose author has not approved since. */
export function standingObjections(dossier: Pick<Decided, 'review' | 'reviews'>): DossierReview[] {
  return objectionsAmong(made(reviewsOf(dossier))).map(({ review }) => review);
}

/** How many different people still have to approve before the asset is released. */
export function missingApprovals(dossier: Decided): number {
  if (dossier.release || dossier.recall) return 0;
  return Math.max(0, (dossier.approvalsNeeded ?? 1) - approversOf(made(reviewsOf(dossier))).size);
}

/** A rejection ends everything; else a wish for changes that stands; else the newest tells where the asset stands. */
export function decisiveReview(reviews: readonly DossierReview[]): DossierReview | undefined {
  const objections = standingObjections({ reviews, review: undefined });
  return objections.find(({ decision }) => decision === 'reject') ?? objections.at(-1) ?? reviews.at(-1);
}

function made(reviews: readonly DossierReview[]) {
  return reviews.map((review) => ({
    review,
    decision: review.decision,
    reviewerId: review.reviewer.principalId,
  }));
}
