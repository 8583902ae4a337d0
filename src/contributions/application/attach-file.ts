import { type AssetRepository } from '../../assets/adapters/asset.repository.js';
import { type RemovedContent } from '../../assets/application/removed-content.js';
import { type AssetStore, type VerifiedContent } from '../../assets/domain/asset-store.port.js';
import { type AppendEntry } from '../../audit/application/append-entry.js';
import { type LogWriter } from '../../audit/application/log-writer.js';
import { type OrganizationTx, type Tx, violatedConstraint } from '../../database/organization-tx.js';
import { actorOf } from '../../identity/application/actor.js';
import { type Principal } from '../../identity/domain/principal.js';
import { type Clock } from '../../shared/clock.js';
import { ColophonError } from '../../shared/errors.js';
import { newId, publicId } from '../../shared/ids.js';
import { type Attachment, type FullContribution, type ReadContributions } from './read-contribution.js';
import { refuseTestKey } from './refuse-test-key.js';

export const ATTACHMENT_KINDS = ['layered_source', 'sketch', 'screen_recording', 'other'] as const;
export type AttachmentKind = (typeof ATTACHMENT_KINDS)[number];

/** As the database says (migration 0028). */
export const MAX_ATTACHMENTS = 20;

/** A file as it came in: whatever it is, it is kept and given out as bytes, and never looked into. */
export interface AttachedFile {
  readonly stagedPath: string;
  readonly sha256: string;
  readonly sizeBytes: number;
}

/** Files that show how work was done: layers, sketches, recordings of the screen. */
export class AttachFile {
  constructor(
    private readonly organizationTx: OrganizationTx,
    private readonly contributions: ReadContributions,
    private readonly assets: AssetRepository,
    private readonly store: AssetStore,
    private readonly removed: RemovedContent,
    private readonly appendEntry: AppendEntry,
    private readonly log: LogWriter,
    private readonly clock: Clock,
  ) {}

  /** @throws ColophonError `not_found`, `forbidden` for anybody but the contributor, `wrong_mode`, `conflict` */
  async attach(
    principal: Principal,
    request: { readonly contributionId: string; readonly kind: AttachmentKind; readonly file: AttachedFile },
    completed: (tx: Tx, attachment: Attachment) => Promise<void>,
  ): Promise<Attachment> {
    const { organizationId } = principal;
    const { contributionId, kind, file } = request;
    await this.organizationTx.run(organizationId, async (tx) => {
      const found = await this.contributions.get(tx, contributionId);
      await this.requireOwn(tx, principal, found);
    });
    await this.store.put(organizationId, file.sha256, file.stagedPath);
    return this.organizationTx.run(organizationId, async (tx) => {
      const found = await this.contributions.get(tx, contributionId);
      const projectId = await this.requireOwn(tx, principal, found);
      const attachment = await this.insert(tx, principal, { found, kind, file, projectId });
      await completed(tx, attachment);
      return attachment;
    });
  }

  /**
   * The bytes of an attachment, or the picture of what changed. Who gets them is in the log first.
   * @throws ColophonError `not_found`, `content_removed`, `audit_unavailable`, `storage_unavailable`
   */
  async read(
    principal: Principal,
    contributionId: string,
    which: { readonly attachmentId: string } | 'difference',
    sendsBody: boolean,
  ): Promise<VerifiedContent & { readonly sha256: string }> {
    const { organizationId } = principal;
    const { sha256, projectId } = await this.organizationTx.run(organizationId, async (tx) => {
      const { row, attachments } = await this.contributions.get(tx, contributionId);
      const found =
        which === 'difference'
          ? row.differenceSha256
          : attachments.find(({ id }) => id === which.attachmentId)?.sha256;
      if (found === null || found === undefined)
        throw new ColophonError('not_found', 'There is no such file of this contribution.');
      // The picture of what changed shows the asset.
      if (which === 'difference') await this.removed.requirePresent(tx, 'asset', row.assetId);
      else await this.removed.requirePresent(tx, 'attachment', which.attachmentId);
      return { sha256: found, projectId: (await this.assets.get(tx, row.assetId)).projectId };
    });
    const content = await this.store.openVerified(organizationId, sha256);
    if (sendsBody)
      await this.log.append(organizationId, {
        type: 'contribution.file_read',
        projectId,
        actor: actorOf(principal),
        subject: { kind: 'contribution', id: publicId('contribution', contributionId) },
        data: { contributionId: publicId('contribution', contributionId), sha256 },
      });
    return { sha256, sizeBytes: content.sizeBytes, stream: (range) => content.stream(range) };
  }

  /** @returns the project */
  private async requireOwn(tx: Tx, principal: Principal, { row }: FullContribution): Promise<string> {
    if (row.contributorId !== principal.principalId)
      throw new ColophonError('forbidden', 'Only the contributor attaches files to this record.');
    const asset = await this.assets.get(tx, row.assetId);
    refuseTestKey(principal, asset);
    return asset.projectId;
  }

  private async insert(
    tx: Tx,
    principal: Principal,
    {
      found: { row, attachments },
      kind,
      file,
      projectId,
    }: { found: FullContribution; kind: AttachmentKind; file: AttachedFile; projectId: string },
  ): Promise<Attachment> {
    const [id, createdAt] = [newId(), this.clock.now()];
    const { sha256, sizeBytes } = file;
    if (attachments.length >= MAX_ATTACHMENTS) throw tooMany();
    const entryId = await this.appendEntry.append(tx, {
      type: 'contribution.attached',
      projectId,
      actor: actorOf(principal),
      subject: { kind: 'contribution', id: publicId('contribution', row.id) },
      data: {
        contributionId: publicId('contribution', row.id),
        attachmentId: publicId('attachment', id),
        kind,
        sha256,
        sizeBytes,
      },
    });
    try {
      await tx.query(
        `INSERT INTO contribution_attachment
           (organization_id, contribution_id, ordinal, id, kind, sha256, size_bytes, entry_id, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
        [tx.organizationId, row.id, attachments.length + 1, id, kind, sha256, sizeBytes, entryId, createdAt],
      );
    } catch (error) {
      if (violatedConstraint(error) === 'contribution_attachment_pkey')
        throw new ColophonError('conflict', 'Another file was attached at the same moment.');
      throw error;
    }
    return { id, contributionId: row.id, kind, sha256, sizeBytes, entryId, createdAt };
  }
}

function tooMany(): ColophonError {
  return new ColophonError('conflict', `A record takes at most ${MAX_ATTACHMENTS} files.`);
}
