import { type AssetWithParents } from '../../assets/adapters/asset.repository.js';
import { type AppendEntry } from '../../audit/application/append-entry.js';
import { type SubjectVault } from '../../audit/application/subject-vault.js';
import { type Tx } from '../../database/organization-tx.js';
import { actorOf } from '../../identity/application/actor.js';
import { type Principal } from '../../identity/domain/principal.js';
import { type Clock } from '../../shared/clock.js';
import { newId, publicId } from '../../shared/ids.js';
import { ContributionEntity } from '../adapters/contribution.entity.js';
import { SELECTION } from '../domain/contribution.js';

export interface Selection {
  readonly chosen: AssetWithParents;
  /** In the order in which they were shown, the chosen one among them. */
  readonly shownAssetIds: readonly string[];
  /** Why, in the person's own words. Sealed. */
  readonly statement: string;
}

/**
 * A person chose one of several assets. Nothing new is made: the record says which were shown, and names the chosen one
 * as what was there before and after.
 */
export class RecordSelection {
  constructor(
    private readonly appendEntry: AppendEntry,
    private readonly vault: SubjectVault,
    private readonly clock: Clock,
  ) {}

  async record(tx: Tx, principal: Principal, { chosen, shownAssetIds, statement }: Selection): Promise<void> {
    const contributionId = newId();
    const assetId = publicId('asset', chosen.id);
    const made = {
      actionType: SELECTION,
      basis: 'selection_coordination_arrangement',
      capture: 'declared_at_time',
    } as const;
    const entryId = await this.appendEntry.append(tx, {
      type: 'contribution.recorded',
      projectId: chosen.projectId,
      actor: actorOf(principal),
      subject: { kind: 'contribution', id: publicId('contribution', contributionId) },
      data: {
        assetId,
        parentAssetId: assetId,
        ...made,
        shown: shownAssetIds.map((id) => publicId('asset', id)),
      },
      sealed: { statement: { value: statement, subjectId: principal.principalId } },
    });
    await tx.manager.insert(ContributionEntity, {
      organizationId: tx.organizationId,
      id: contributionId,
      assetId: chosen.id,
      parentAssetId: chosen.id,
      contributorId: principal.principalId,
      ...made,
      tool: 'none',
      sealedStatement: await this.vault.encrypt(tx, principal.principalId, statement),
      beforeSha256: chosen.sha256,
      afterSha256: chosen.originalSha256,
      changedRegion: null,
      entryId,
      createdAt: this.clock.now(),
    });
  }
}
