import { sqlErrorDetail, sqlState, type Tx } from '../../database/organization-tx.js';
import { actorOf } from '../../identity/application/actor.js';
import { refuseTestKeyOnLive } from '../../identity/domain/key-mode.js';
import { type Principal } from '../../identity/domain/principal.js';
import { type Clock } from '../../shared/clock.js';
import { ColophonError } from '../../shared/errors.js';
import { newId, publicId } from '../../shared/ids.js';
import { type ErasureReason, MAX_ERASED_IN_ENTRY } from '../core/entries/retention-entries.js';
import { type AppendEntry } from './append-entry.js';

/** Raised by erase_data_subject() when a hold covers the subject; its detail is a JSON list of hold ids (migration 0006). */
const LEGAL_HOLD_STATE = 'CLP06';

/** One value that is gone: what the log still says about the place where it was. */
export interface ErasedValue {
  readonly entryId: string;
  /** `undefined` while the entry has no index yet. */
  readonly index: number | undefined;
  readonly type: string;
  readonly field: string;
  readonly recordedAt: Date;
}

/** An attachment that is gone: ids are UUIDs. */
export interface ErasedAttachment {
  readonly id: string;
  readonly contributionId: string;
  readonly sha256: string;
  readonly project: string;
  /** Something that stays has the same bytes, so the file itself stays. */
  readonly shared: boolean;
}

export interface KeptCounts {
  readonly assets: number;
  readonly releasedAssets: number;
  readonly contributions: number;
  readonly storyboardOrders: number;
  readonly reviews: number;
}

export interface Erasure {
  readonly id: string;
  readonly subjectId: string;
  readonly reason: ErasureReason;
  readonly erasedAt: Date;
  readonly values: readonly ErasedValue[];
  readonly nameErased: boolean;
  /** Assets whose title, the name of a file that the person sent, is gone. */
  readonly titlesErased: number;
  /** What the person attached to their records. */
  readonly attachments: readonly ErasedAttachment[];
  /** How many things of the person stay, because the record of what was made rests on them. */
  readonly kept: KeptCounts;
  /** Reports that showed values or the name of this person. They can be made again. */
  readonly reportIds: readonly string[];
  /** The `opening.erased` entries. */
  readonly entryIds: readonly string[];
}

/** What erase_data_subject() answers. */
interface Gone {
  readonly openings: readonly { readonly entryId: string; readonly field: string }[];
  readonly reports: readonly { readonly id: string; readonly sha256: string | null }[];
  readonly name: boolean;
  readonly titles: number;
  readonly attachments: readonly ErasedAttachment[];
  readonly kept: KeptCounts;
}

/** Removes a file from the store; no error when it is not there. */
export type RemoveFile = (organizationId: string, sha256: string) => Promise<void>;

/**
 * Erases everything that is sealed under the key of one person, the key, their name, the names of files that they sent,
 * what they attached to their records, and the reports that show them.
 * The database does it in one function that looks for legal holds first; the application has no right to delete. The
 * erasure and the entry that tells of it are one transaction. Erasing again is harmless: it erases what came since.
 */
export class EraseDataSubject {
  constructor(
    private readonly appendEntry: AppendEntry,
    private readonly removeFile: RemoveFile,
    /** Deletes the files of removals that are open, and says so in the log. */
    private readonly settleFiles: (organizationId: string) => Promise<unknown>,
    private readonly onFileError: (error: unknown) => void,
    private readonly clock: Clock,
  ) {}

  /** @throws ColophonError `legal_hold` with `holdIds`, `not_found`, `wrong_mode` for a test key */
  async erase(
    tx: Tx,
    principal: Principal,
    request: { readonly subjectId: string; readonly reason: ErasureReason },
  ): Promise<Erasure> {
    refuseTestKeyOnLive(principal.mode, 'live', 'What people wrote and who they are');
    await requirePrincipal(tx, request.subjectId);
    const removalId = newId();
    const gone = await this.eraseInDatabase(tx, request.subjectId, removalId);
    // Read after the locks were given: an erasure is never dated before a value that it took.
    const erasedAt = this.clock.now();
    const erasure = {
      ...request,
      id: newId(),
      erasedAt,
      values: await valuesOf(tx, gone),
      nameErased: gone.name,
      titlesErased: gone.titles,
      attachments: gone.attachments,
      kept: gone.kept,
      reportIds: gone.reports.map(({ id }) => id),
    };
    await tx.query(
      `INSERT INTO erasure (organization_id, id, subject_id, reason, openings, erased_by, erased_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7)`,
      [
        tx.organizationId,
        erasure.id,
        erasure.subjectId,
        erasure.reason,
        gone.openings.length,
        principal.principalId,
        erasedAt,
      ],
    );
    const entryIds = await this.record(tx, principal, erasure);
    await this.recordAttachments(tx, principal, removalId, erasure);
    // A crash before this leaves files that nobody can ask for; erasing the same person again removes those of reports,
    // the rounds of retention remove those of attachments.
    tx.afterCommit(() => this.removeFiles(tx.organizationId, gone));
    return { ...erasure, entryIds };
  }

  private async recordAttachments(
    tx: Tx,
    principal: Principal,
    removal: string,
    { attachments, reason }: Pick<Erasure, 'attachments' | 'reason'>,
  ): Promise<void> {
    for (const { id, contributionId, sha256, project } of attachments)
      await this.appendEntry.append(tx, {
        type: 'content.removed',
        projectId: project,
        actor: actorOf(principal),
        subject: { kind: 'contribution', id: publicId('contribution', contributionId) },
        data: {
          removalId: publicId('removal', removal),
          kind: 'attachment',
          thingId: publicId('attachment', id),
          cause: 'erasure',
          reason,
          sha256: [sha256],
        },
      });
  }

  private async eraseInDatabase(tx: Tx, subjectId: string, removalId: string): Promise<Gone> {
    try {
      const [row] = await tx.query<{ gone: Gone }>('SELECT erase_data_subject($1, $2, $3) AS gone', [
        tx.organizationId,
        subjectId,
        removalId,
      ]);
      if (!row) throw new Error('erase_data_subject() answered nothing');
      return row.gone;
    } catch (error) {
      if (sqlState(error) !== LEGAL_HOLD_STATE) throw error;
      const ids = JSON.parse(sqlErrorDetail(error) ?? '[]') as string[];
      throw new ColophonError('legal_hold', 'A legal hold covers this person: nothing was erased.', {
        extensions: { holdIds: ids.map((id) => publicId('legalHold', id)) },
      });
    }
  }

  private async record(
    tx: Tx,
    principal: Principal,
    erasure: Pick<Erasure, 'subjectId' | 'reason' | 'values'>,
  ): Promise<string[]> {
    const { reason, values } = erasure;
    const subjectId = publicId('principal', erasure.subjectId);
    const touched = [...new Set(values.map(({ entryId }) => publicId('entry', entryId)))];
    const parts = Math.max(1, Math.ceil(touched.length / MAX_ERASED_IN_ENTRY));
    const written: string[] = [];
    for (let part = 1; part <= parts; part++) {
      const entryIds = touched.slice((part - 1) * MAX_ERASED_IN_ENTRY, part * MAX_ERASED_IN_ENTRY);
      const entryId = await this.appendEntry.append(tx, {
        type: 'opening.erased',
        actor: actorOf(principal),
        subject: { kind: 'principal', id: subjectId },
        data: { subjectId, reason, openings: values.length, entryIds, part, parts },
      });
      written.push(entryId);
    }
    return written;
  }

  private removeFiles(organizationId: string, { reports, attachments }: Gone): void {
    if (attachments.length > 0) this.settleFiles(organizationId).catch(this.onFileError);
    for (const { sha256 } of reports) {
      if (sha256 !== null) this.removeFile(organizationId, sha256).catch(this.onFileError);
    }
  }
}

async function requirePrincipal(tx: Tx, id: string): Promise<void> {
  const found = await tx.query('SELECT 1 FROM principal WHERE organization_id = $1 AND id = $2', [
    tx.organizationId,
    id,
  ]);
  if (found.length === 0) throw new ColophonError('not_found', 'There is no principal with this id.');
}

/** In the order of the log; entries that have no index yet come last. */
async function valuesOf(tx: Tx, { openings }: Gone): Promise<ErasedValue[]> {
  const rows = await tx.query<{
    entry_id: string;
    index: string | null;
    entry_type: string;
    recorded_at: Date;
  }>(
    `SELECT entry_id, index, entry_type, recorded_at FROM audit_entry
      WHERE organization_id = $1 AND entry_id = ANY($2::uuid[])
     UNION ALL SELECT entry_id, NULL, entry_type, recorded_at FROM audit_pending
      WHERE organization_id = $1 AND entry_id = ANY($2::uuid[])`,
    [tx.organizationId, openings.map(({ entryId }) => entryId)],
  );
  const byId = new Map(rows.map((row) => [row.entry_id, row]));
  const values = openings.flatMap(({ entryId, field }) => {
    const row = byId.get(entryId);
    if (!row) return [];
    const index = row.index === null ? undefined : Number(row.index);
    return [{ entryId, index, type: row.entry_type, field, recordedAt: row.recorded_at }];
  });
  return values.sort((a, b) => (a.index ?? Infinity) - (b.index ?? Infinity) || 0);
}
