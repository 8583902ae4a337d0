import { type AssetRepository } from '../../assets/adapters/asset.repository.js';
import { type Asset } from '../../assets/domain/asset.js';
import { type AppendEntry } from '../../audit/application/append-entry.js';
import { type SubjectVault } from '../../audit/application/subject-vault.js';
import { sqlState, type Tx, violatedConstraint } from '../../database/organization-tx.js';
import { actorOf } from '../../identity/application/actor.js';
import { requirePerson } from '../../identity/application/require-person.js';
import { type Principal } from '../../identity/domain/principal.js';
import { type Clock } from '../../shared/clock.js';
import { ColophonError } from '../../shared/errors.js';
import { newId, publicId } from '../../shared/ids.js';
import { ReviewEntity } from '../adapters/contribution.entity.js';
import { type ReviewDecision } from '../domain/contribution.js';
import { type ChecklistItem, checklistSha256 } from '../domain/review/checklist.js';
import { type CollectChecklist } from './collect-checklist.js';
import { reviewNeeds } from './read-review.js';
import { refuseTestKey } from './refuse-test-key.js';

/** Raised by the database (migration 0030): the reviewer took part in making the asset; it is decided. */
const FOUR_EYES_STATE = 'CLP01';
const DECIDED_STATE = 'CLP03';

export interface DecisionRequest {
  readonly assetId: string;
  readonly decision: ReviewDecision;
  readonly comment: string;
  /** Keys of the points of the checklist that the reviewer has looked at. */
  readonly confirmed: readonly string[];
}

export interface Review {
  readonly id: string;
  readonly decision: ReviewDecision;
  readonly sha256: string;
  readonly checklist: { readonly sha256: string; readonly items: number; readonly confirmed: number };
  readonly createdAt: Date;
}

/** A second person's decision. Who may decide, and how often, the database says, however many ask at once. */
export class ReviewAsset {
  constructor(
    private readonly assets: AssetRepository,
    private readonly collectChecklist: CollectChecklist,
    private readonly appendEntry: AppendEntry,
    private readonly vault: SubjectVault,
    private readonly clock: Clock,
  ) {}

  /** @throws ColophonError `forbidden` for a service, `four_eyes_required`, `checklist_open`, `invalid_request`, `wrong_mode`,
   * `conflict` when it is decided */
  async decide(tx: Tx, principal: Principal, request: DecisionRequest): Promise<Review> {
    const asset = await this.assets.get(tx, request.assetId);
    refuseTestKey(principal, asset);
    await requirePerson(tx, principal, 'decision');
    const checklist = await this.checklist(tx, request);
    const review: Review = {
      id: newId(),
      decision: request.decision,
      sha256: asset.sha256,
      checklist,
      createdAt: this.clock.now(),
    };
    const entryId = await this.append(tx, principal, asset, { review, comment: request.comment });
    try {
      await tx.manager.insert(ReviewEntity, {
        organizationId: tx.organizationId,
        id: review.id,
        assetId: asset.id,
        reviewerId: principal.principalId,
        decision: review.decision,
        sealedComment: await this.vault.encrypt(tx, principal.principalId, request.comment),
        sha256: review.sha256,
        entryId,
        createdAt: review.createdAt,
        checklistSha256: checklist.sha256,
        checklistItems: checklist.items,
        checklistConfirmed: checklist.confirmed,
      });
    } catch (error) {
      throw refusalOf(error);
    }
    return review;
  }

  /** As it is now: a point that came after the reviewer looked is not confirmed. */
  private async checklist(
    tx: Tx,
    { assetId, decision, confirmed }: DecisionRequest,
  ): Promise<Review['checklist']> {
    const items = await this.collectChecklist.of(tx, assetId);
    const { checklist: isDemanded } = await reviewNeeds(tx, assetId);
    const keys = new Set(items.map(({ key }) => key));
    if (confirmed.some((key) => !keys.has(key)))
      throw new ColophonError('invalid_request', 'confirmed: one of the keys is not on the checklist');
    if (isDemanded && decision === 'approve') requireConfirmed(items, confirmed);
    return { sha256: checklistSha256(items), items: items.length, confirmed: new Set(confirmed).size };
  }

  private append(
    tx: Tx,
    principal: Principal,
    asset: Asset,
    { review, comment }: { readonly review: Review; readonly comment: string },
  ): Promise<string> {
    return this.appendEntry.append(tx, {
      type: 'review.decided',
      projectId: asset.projectId,
      actor: actorOf(principal),
      subject: { kind: 'review', id: publicId('review', review.id) },
      data: {
        assetId: publicId('asset', asset.id),
        decision: review.decision,
        sha256: review.sha256,
        checklist: review.checklist,
      },
      sealed: { comment: { value: comment, subjectId: principal.principalId } },
    });
  }
}

/** @throws ColophonError `checklist_open` */
function requireConfirmed(items: readonly ChecklistItem[], confirmed: readonly string[]): void {
  const open = items.filter(({ key }) => !confirmed.includes(key));
  if (open.length === 0) return;
  throw new ColophonError('checklist_open', `${open.length} points of the checklist are not confirmed.`, {
    extensions: { open: open.slice(0, 200) },
  });
}

function refusalOf(error: unknown): unknown {
  if (sqlState(error) === FOUR_EYES_STATE)
    return new ColophonError(
      'four_eyes_required',
      'You took part in making this asset or one it descends from, or started a run behind it.',
    );
  if (sqlState(error) === DECIDED_STATE || violatedConstraint(error) === 'review_final_unique')
    return new ColophonError(
      'conflict',
      'This asset was rejected or released, or you have decided on it already.',
    );
  return error;
}
