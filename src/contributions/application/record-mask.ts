import { type Tx } from '../../database/organization-tx.js';
import { SYSTEM_ACTOR } from '../../identity/application/actor.js';
import { newId, publicId } from '../../shared/ids.js';
import { UNKNOWN_ENGAGEMENT } from '../domain/contribution-record.js';
import { type WriteContribution } from './write-contribution.js';

/** Two files and the mask that was sent with the first. Ids are UUIDs. */
export interface MaskedEdit {
  readonly output: { readonly id: string; readonly projectId: string; readonly originalSha256: string };
  readonly source: { readonly id: string; readonly sha256: string };
  readonly mask: {
    readonly id: string;
    readonly sha256: string;
    readonly origin: string;
    readonly createdBy: string;
  };
}

/**
 * A step changed a picture inside a mask that a person had sent: that they chose the region is seen here, and recorded
 * when the result is. Masks that a step made are nobody's act, and neither are those of services.
 */
export class RecordMask {
  constructor(private readonly writeContribution: WriteContribution) {}

  async record(tx: Tx, { output, source, mask }: MaskedEdit): Promise<void> {
    if (mask.origin === 'step' || !(await isPerson(tx, mask.createdBy))) return;
    await this.writeContribution.write(tx, {
      id: newId(),
      assetId: output.id,
      projectId: output.projectId,
      contributorId: mask.createdBy,
      actor: SYSTEM_ACTOR,
      change: undefined,
      act: {
        parentAssetId: source.id,
        beforeSha256: source.sha256,
        afterSha256: output.originalSha256,
        actionType: 'MASK_INPAINT',
        basis: 'modification',
        capture: 'automatic',
        engagement: UNKNOWN_ENGAGEMENT,
        tool: null,
        statement: `Recorded by the program, not in the words of the person: the mask ${publicId('asset', mask.id)} (SHA-256 ${mask.sha256}) set the region of this edit.`,
        shownAssetIds: [],
        signedAt: null,
      },
    });
  }
}

async function isPerson(tx: Tx, principalId: string): Promise<boolean> {
  const rows = await tx.query(
    `SELECT 1 FROM principal WHERE organization_id = $1 AND id = $2 AND kind = 'user'`,
    [tx.organizationId, principalId],
  );
  return rows.length > 0;
}
