import { type AssetRepository } from '../../assets/adapters/asset.repository.js';
import { type AppendEntry } from '../../audit/application/append-entry.js';
import { type SubjectVault } from '../../audit/application/subject-vault.js';
import { type Tx, violatedConstraint } from '../../database/organization-tx.js';
import { actorOf } from '../../identity/application/actor.js';
import { type Principal } from '../../identity/domain/principal.js';
import { useCaseOf } from '../../licenses/application/find-use.js';
import { type Clock } from '../../shared/clock.js';
import { ColophonError } from '../../shared/errors.js';
import { newId, publicId } from '../../shared/ids.js';
import { type Risk, riskOf } from '../domain/review/checklist.js';
import { type CollectChecklist } from './collect-checklist.js';
import { refuseTestKey } from './refuse-test-key.js';

/** Puts an asset into the queue of reviewers, and takes what people have to say about it. */
export class RequestReview {
  constructor(
    private readonly assets: AssetRepository,
    private readonly collectChecklist: CollectChecklist,
    private readonly appendEntry: AppendEntry,
    private readonly vault: SubjectVault,
    private readonly clock: Clock,
  ) {}

  /**
   * @param request.useCase of the asset's project; its settings count beside those of the runs behind the asset
   * @throws ColophonError `not_found`, `wrong_mode`, `conflict` when it was asked for before
   */
  async request(
    tx: Tx,
    principal: Principal,
    request: { readonly assetId: string; readonly useCase: string | undefined },
  ): Promise<{ readonly risk: Risk; readonly createdAt: Date }> {
    const { assetId, useCase } = request;
    const asset = await this.assets.get(tx, assetId);
    refuseTestKey(principal, asset);
    const useCaseId = await useCaseOf(tx, asset.projectId, useCase);
    const risk = riskOf(await this.collectChecklist.of(tx, assetId));
    const createdAt = this.clock.now();
    const entryId = await this.appendEntry.append(tx, {
      type: 'review.requested',
      projectId: asset.projectId,
      actor: actorOf(principal),
      subject: { kind: 'asset', id: publicId('asset', assetId) },
      data: {
        assetId: publicId('asset', assetId),
        sha256: asset.sha256,
        risk,
        ...(useCaseId === null ? {} : { useCaseId: publicId('useCase', useCaseId) }),
      },
    });
    try {
      await tx.query(
        `INSERT INTO review_request (organization_id, asset_id, requested_by, use_case_id, risk, entry_id, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)`,
        [tx.organizationId, assetId, principal.principalId, useCaseId, risk, entryId, createdAt],
      );
    } catch (error) {
      if (violatedConstraint(error) === 'review_request_pkey')
        throw new ColophonError('conflict', 'A review of this asset was asked for before.');
      throw error;
    }
    return { risk, createdAt };
  }

  /** @returns the id of the comment. @throws ColophonError `not_found`, `wrong_mode` */
  async comment(
    tx: Tx,
    principal: Principal,
    { assetId, text }: { readonly assetId: string; readonly text: string },
  ): Promise<{ readonly id: string; readonly createdAt: Date }> {
    const asset = await this.assets.get(tx, assetId);
    refuseTestKey(principal, asset);
    const [id, createdAt, subjectId] = [newId(), this.clock.now(), principal.principalId];
    const entryId = await this.appendEntry.append(tx, {
      type: 'review.commented',
      projectId: asset.projectId,
      actor: actorOf(principal),
      subject: { kind: 'asset', id: publicId('asset', assetId) },
      data: { assetId: publicId('asset', assetId), commentId: publicId('reviewComment', id) },
      sealed: { text: { value: text, subjectId } },
    });
    await tx.query(
      `INSERT INTO review_comment (organization_id, id, asset_id, author_id, sealed_text, entry_id, created_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7)`,
      [
        ...[tx.organizationId, id, assetId, subjectId],
        ...[await this.vault.encrypt(tx, subjectId, text), entryId, createdAt],
      ],
    );
    return { id, createdAt };
  }
}
