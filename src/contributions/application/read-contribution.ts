import { In } from 'typeorm';
import { type SubjectVault } from '../../audit/application/subject-vault.js';
import { type ContentRemoval, type RemovedContent } from '../../assets/application/removed-content.js';
import { type Tx } from '../../database/organization-tx.js';
import { ColophonError } from '../../shared/errors.js';
import { ContributionEntity } from '../adapters/contribution.entity.js';
import { type ContributionAction, type ContributionBasis, type SELECTION } from '../domain/contribution.js';

export type CorrectionKind = 'amended' | 'withdrawn' | 'signed';

/** What was said of a record later. */
export interface Correction {
  readonly id: string;
  readonly contributionId: string;
  readonly ordinal: number;
  readonly kind: CorrectionKind;
  readonly correctedBy: string;
  readonly actionType: ContributionAction | typeof SELECTION | undefined;
  readonly basis: ContributionBasis | undefined;
  readonly sealedText: string;
  readonly sealedSignature: string | undefined;
  readonly signatureKeyId: string | undefined;
  readonly entryId: string;
  readonly createdAt: Date;
}

export interface Attachment {
  readonly id: string;
  readonly contributionId: string;
  readonly kind: string;
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly entryId: string;
  readonly createdAt: Date;
  /** The file is gone; what is said of it above stays. */
  readonly removed?: ContentRemoval | undefined;
}

/** A record with all that was added to it, oldest first. */
export interface FullContribution {
  readonly row: ContributionEntity;
  readonly corrections: readonly Correction[];
  readonly attachments: readonly Attachment[];
}

/** Words of a record in clear; `undefined` where there are none, or after an erasure. */
export interface OpenedContribution {
  readonly record: string | undefined;
  readonly signature: string | undefined;
  readonly corrections: readonly {
    readonly text: string | undefined;
    readonly signature: string | undefined;
  }[];
  /** UUIDs of the entries whose sealed values these are. */
  readonly entryIds: readonly string[];
}

export class ReadContributions {
  constructor(
    private readonly vault: SubjectVault,
    private readonly removed: RemovedContent,
  ) {}

  /** @throws ColophonError `not_found` */
  async get(tx: Tx, id: string): Promise<FullContribution> {
    const row = await tx.manager.findOneBy(ContributionEntity, { organizationId: tx.organizationId, id });
    if (row === null) throw new ColophonError('not_found', 'There is no contribution with this id.');
    const [full] = await this.complete(tx, [row]);
    if (full === undefined) throw new Error('a contribution was lost while it was read');
    return full;
  }

  /** Of these assets, oldest first. */
  async of(tx: Tx, assetIds: readonly string[]): Promise<FullContribution[]> {
    const rows = await tx.manager.find(ContributionEntity, {
      where: { organizationId: tx.organizationId, assetId: In([...assetIds]) },
      order: { createdAt: 'ASC', id: 'ASC' },
    });
    return this.complete(tx, rows);
  }

  async open(tx: Tx, { row, corrections }: FullContribution): Promise<OpenedContribution> {
    const decrypt = (subjectId: string, sealed: string | null | undefined) =>
      sealed === null || sealed === undefined ? undefined : this.vault.decrypt(tx, subjectId, sealed);
    const opened = [];
    for (const { correctedBy, sealedText, sealedSignature } of corrections)
      opened.push({
        text: await decrypt(correctedBy, sealedText),
        signature: await decrypt(correctedBy, sealedSignature),
      });
    return {
      record: await decrypt(row.contributorId, row.sealedRecord),
      signature: await decrypt(row.contributorId, row.sealedSignature),
      corrections: opened,
      entryIds: [row.entryId, ...corrections.map(({ entryId }) => entryId)],
    };
  }

  private async complete(tx: Tx, rows: readonly ContributionEntity[]): Promise<FullContribution[]> {
    const ids = rows.map(({ id }) => id);
    const corrections = ids.length === 0 ? [] : await correctionsOf(tx, ids);
    const attachments = ids.length === 0 ? [] : await this.attachmentsOf(tx, ids);
    return rows.map((row) => ({
      row,
      corrections: corrections.filter(({ contributionId }) => contributionId === row.id),
      attachments: attachments.filter(({ contributionId }) => contributionId === row.id),
    }));
  }

  private async attachmentsOf(tx: Tx, ids: readonly string[]): Promise<Attachment[]> {
    const attachments = await attachmentsOf(tx, ids);
    const removals = await this.removed.of(
      tx,
      'attachment',
      attachments.map(({ id }) => id),
    );
    return attachments.map((one) => ({ ...one, removed: removals.get(one.id) }));
  }
}

interface CorrectionRow {
  id: string;
  contribution_id: string;
  ordinal: number;
  kind: CorrectionKind;
  corrected_by: string;
  action_type: ContributionAction | null;
  basis: ContributionBasis | null;
  sealed_text: string;
  sealed_signature: string | null;
  signature_key_id: string | null;
  entry_id: string;
  created_at: Date;
}

async function correctionsOf(tx: Tx, ids: readonly string[]): Promise<Correction[]> {
  const rows = await tx.query<CorrectionRow>(
    `SELECT id, contribution_id, ordinal, kind, corrected_by, action_type, basis, sealed_text, sealed_signature,
            signature_key_id, entry_id, created_at
       FROM contribution_correction WHERE organization_id = $1 AND contribution_id = ANY($2::uuid[])
      ORDER BY contribution_id, ordinal`,
    [tx.organizationId, ids],
  );
  return rows.map((row) => ({
    id: row.id,
    contributionId: row.contribution_id,
    ordinal: row.ordinal,
    kind: row.kind,
    correctedBy: row.corrected_by,
    actionType: row.action_type ?? undefined,
    basis: row.basis ?? undefined,
    sealedText: row.sealed_text,
    sealedSignature: row.sealed_signature ?? undefined,
    signatureKeyId: row.signature_key_id ?? undefined,
    entryId: row.entry_id,
    createdAt: row.created_at,
  }));
}

interface AttachmentRow {
  id: string;
  contribution_id: string;
  kind: string;
  sha256: string;
  size_bytes: string;
  entry_id: string;
  created_at: Date;
}

async function attachmentsOf(tx: Tx, ids: readonly string[]): Promise<Attachment[]> {
  const rows = await tx.query<AttachmentRow>(
    `SELECT id, contribution_id, kind, sha256, size_bytes, entry_id, created_at
       FROM contribution_attachment WHERE organization_id = $1 AND contribution_id = ANY($2::uuid[])
      ORDER BY contribution_id, ordinal`,
    [tx.organizationId, ids],
  );
  return rows.map((row) => ({
    id: row.id,
    contributionId: row.contribution_id,
    kind: row.kind,
    sha256: row.sha256,
    sizeBytes: Number(row.size_bytes),
    entryId: row.entry_id,
    createdAt: row.created_at,
  }));
}
