import { type AssetRepository } from '../../assets/adapters/asset.repository.js';
import { type Tx } from '../../database/organization-tx.js';
import { publicId } from '../../shared/ids.js';
import { In } from 'typeorm';
import { ContributionEntity } from '../adapters/contribution.entity.js';

/**
 * What the record holds about human work on an asset: facts, never a percentage and never a legal conclusion.
 * Prompts alone are not authorship, and the statement says so.
 */
export class StateAuthorship {
  constructor(private readonly assets: AssetRepository) {}

  async state(tx: Tx, assetId: string) {
    const lineage = await this.assets.lineage(tx, assetId);
    const contributions = await tx.manager.find(ContributionEntity, {
      where: { organizationId: tx.organizationId, assetId: In(lineage.map(({ id }) => id)) },
      order: { createdAt: 'ASC' },
    });
    const generated = lineage.filter(({ digitalSourceType }) =>
      ['trainedAlgorithmicMedia', 'compositeWithTrainedAlgorithmicMedia'].includes(digitalSourceType ?? ''),
    );
    return {
      assetId: publicId('asset', assetId),
      claimed: contributions.map((contribution) => ({
        contributionId: publicId('contribution', contribution.id),
        assetId: publicId('asset', contribution.assetId),
        actionType: contribution.actionType,
        basis: contribution.basis,
        capture: contribution.capture,
        changedRegion: contribution.changedRegion,
      })),
      disclaimed: generated.map(({ id, digitalSourceType }) => ({
        assetId: publicId('asset', id),
        reason: `Made or changed by a generative model (${digitalSourceType ?? ''}).`,
      })),
      uncertain: lineage
        .filter(({ origin, digitalSourceType }) => origin === 'upload' && digitalSourceType === undefined)
        .map(({ id }) => ({
          assetId: publicId('asset', id),
          reason: 'Received from outside; who made it is not recorded.',
        })),
      notes: [
        'Prompts alone do not make authorship; they are recorded as context.',
        contributions.length === 0
          ? 'No human contribution is recorded for this asset or anything it descends from.'
          : 'Whether these contributions suffice for protection is a legal question that this record does not answer.',
      ],
    };
  }
}
