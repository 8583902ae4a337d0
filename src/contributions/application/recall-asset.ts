import { type AssetRepository } from '../../assets/adapters/asset.repository.js';
import { type AppendEntry } from '../../audit/application/append-entry.js';
import { type SubjectVault } from '../../audit/application/subject-vault.js';
import { type Tx, violatedConstraint } from '../../database/organization-tx.js';
import { actorOf } from '../../identity/application/actor.js';
import { type Principal } from '../../identity/domain/principal.js';
import { type Clock } from '../../shared/clock.js';
import { ColophonError } from '../../shared/errors.js';
import { publicId } from '../../shared/ids.js';
import { type RecallReason } from '../domain/contribution.js';
import { recallOf, releaseOf } from './read-review.js';
import { refuseTestKey } from './refuse-test-key.js';

/** A release is taken back, for good. What was fetched before cannot be called back; verification says so from now on. */
export class RecallAsset {
  constructor(
    private readonly assets: AssetRepository,
    private readonly appendEntry: AppendEntry,
    private readonly vault: SubjectVault,
    private readonly clock: Clock,
  ) {}

  /** @throws ColophonError `not_found`, `wrong_mode`, `conflict` when it was not released, or recalled before */
  async recall(
    tx: Tx,
    principal: Principal,
    request: { readonly assetId: string; readonly reason: RecallReason; readonly text: string },
  ): Promise<{ readonly recalledAt: Date; readonly sha256: string }> {
    const { assetId, reason, text } = request;
    const asset = await this.assets.get(tx, assetId);
    refuseTestKey(principal, asset);
    if ((await releaseOf(tx, assetId)) === undefined)
      throw new ColophonError('conflict', 'This asset was never released.');
    if (await recallOf(tx, assetId)) throw recalledBefore();
    const [subjectId, recalledAt] = [principal.principalId, this.clock.now()];
    const entryId = await this.appendEntry.append(tx, {
      type: 'asset.recalled',
      projectId: asset.projectId,
      actor: actorOf(principal),
      subject: { kind: 'asset', id: publicId('asset', assetId) },
      data: { assetId: publicId('asset', assetId), sha256: asset.sha256, reason },
      sealed: { text: { value: text, subjectId } },
    });
    const sealedText = await this.vault.encrypt(tx, subjectId, text);
    try {
      await tx.query(
        `INSERT INTO asset_recall (organization_id, asset_id, reason, sealed_text, recalled_by, entry_id, recalled_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)`,
        [tx.organizationId, assetId, reason, sealedText, subjectId, entryId, recalledAt],
      );
    } catch (error) {
      if (violatedConstraint(error) === 'asset_recall_pkey') throw recalledBefore();
      throw error;
    }
    return { recalledAt, sha256: asset.sha256 };
  }
}

function recalledBefore(): ColophonError {
  return new ColophonError('conflict', 'The release of this asset was taken back before.');
}
