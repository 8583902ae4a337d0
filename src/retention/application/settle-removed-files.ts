import { type AppendEntry } from '../../audit/application/append-entry.js';
import { MAX_HASHES_IN_ENTRY, type RemovedKind } from '../../audit/core/entries/retention-entries.js';
import { type OrganizationTx, type Tx } from '../../database/organization-tx.js';
import { SYSTEM_ACTOR } from '../../identity/application/actor.js';
import { publicId } from '../../shared/ids.js';
import { SUBJECT_OF_REMOVED } from '../domain/removed-subject.js';

/** What claim_removed_files() answers. */
interface Claimed {
  readonly removal: string;
  /** Files that nothing uses any more, and those that something has which stays. */
  readonly unused: readonly string[];
  readonly shared: readonly string[];
  /** What a legal hold reached before its bytes were gone. */
  readonly revoked: readonly {
    readonly kind: RemovedKind;
    readonly id: string;
    /** Public. */
    readonly subject: string;
  }[];
}

/**
 * Deletes a file of the store.
 * @returns false when it was put only just now, so that something may be about to refer to it: it is tried again later
 */
export type DeleteFile = (organizationId: string, sha256: string) => Promise<boolean>;

/**
 * Deletes the bytes of what was marked as removed, one removal at a time:
 *
 * 1. `claim_removed_files` locks the holds, takes marks back that a hold reached, and asks of each file whether anything
 *    that stays has the same bytes. A crash here: nothing happened.
 * 2. The files are deleted, flushed to disk. A crash here: they are gone and it is not recorded yet; the next round
 *    deletes them again, which does nothing, and goes on.
 * 3. `content.files_deleted` and the rows that say so, COMMIT. Never before the bytes are gone: the log does not say
 *    "deleted" of what could still be there.
 */
export class SettleRemovedFiles {
  constructor(
    private readonly organizationTx: OrganizationTx,
    private readonly deleteFile: DeleteFile,
    private readonly appendEntry: AppendEntry,
  ) {}

  /** Everything that is open in an organization; stops early when it is told to. @returns how many files were deleted */
  async settle(organizationId: string, stopping?: AbortSignal): Promise<number> {
    let deleted = 0;
    let after: string | undefined;
    while (stopping?.aborted !== true) {
      const settled = await this.organizationTx.run(organizationId, (tx) => this.next(tx, after));
      if (settled === undefined) break;
      deleted += settled.deleted;
      after = settled.removal;
    }
    return deleted;
  }

  private async next(
    tx: Tx,
    after: string | undefined,
  ): Promise<{ readonly removal: string; readonly deleted: number } | undefined> {
    const [row] = await tx.query<{ claimed: Claimed | null }>(
      'SELECT claim_removed_files($1, $2) AS claimed',
      [tx.organizationId, after ?? null],
    );
    const claimed = row?.claimed;
    if (claimed === null || claimed === undefined) return undefined;
    const deleted: string[] = [];
    for (const sha256 of claimed.unused)
      if (await this.deleteFile(tx.organizationId, sha256)) deleted.push(sha256);
    await tx.query('SELECT settle_removed_files($1, $2, $3::text[], $4::text[])', [
      tx.organizationId,
      claimed.removal,
      deleted,
      claimed.shared,
    ]);
    await this.record(tx, claimed, deleted);
    return { removal: claimed.removal, deleted: deleted.length };
  }

  private async record(tx: Tx, { removal, shared, revoked }: Claimed, deleted: string[]): Promise<void> {
    const removalId = publicId('removal', removal);
    for (const { kind, id, subject } of revoked)
      await this.appendEntry.append(tx, {
        type: 'content.restored',
        actor: SYSTEM_ACTOR,
        subject: { kind: SUBJECT_OF_REMOVED[kind], id: subject },
        data: { removalId, kind, ...(kind === 'attachment' && { thingId: publicId('attachment', id) }) },
      });
    const parts = Math.ceil(Math.max(deleted.length, shared.length) / MAX_HASHES_IN_ENTRY);
    for (let part = 0; part < parts; part++) {
      const of = (list: readonly string[]): string[] =>
        list.slice(part * MAX_HASHES_IN_ENTRY, (part + 1) * MAX_HASHES_IN_ENTRY);
      await this.appendEntry.append(tx, {
        type: 'content.files_deleted',
        actor: SYSTEM_ACTOR,
        subject: { kind: 'removal', id: removalId },
        data: { deleted: of(deleted), kept: of(shared) },
      });
    }
  }
}
