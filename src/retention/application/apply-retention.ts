import { type AppendEntry } from '../../audit/application/append-entry.js';
import { type RemovedKind } from '../../audit/core/entries/retention-entries.js';
import { type Tx } from '../../database/organization-tx.js';
import { SYSTEM_ACTOR } from '../../identity/application/actor.js';
import { type IdKind, newId, publicId } from '../../shared/ids.js';
import { SUBJECT_OF_REMOVED } from '../domain/removed-subject.js';
import { type RetentionKind } from '../domain/retention-rule.js';

/** What apply_retention() answers. */
interface Applied {
  readonly seen: number;
  readonly last: string | null;
  readonly removed: readonly {
    readonly kind: RemovedKind;
    readonly id: string;
    /** Public. */
    readonly subject: string;
    readonly attachment: string | null;
    readonly project: string | null;
    readonly scope: string;
    readonly version: number;
    readonly hashes: readonly string[];
  }[];
}

export interface RetentionStep {
  readonly removed: number;
  /** After which thing the next step looks; `undefined` when all were looked at. */
  readonly next: string | undefined;
}

/** Things in one transaction; no other transaction of the organization places a hold as long as it runs. */
const BATCH = 100;

/**
 * Takes out of reach what is due, a bounded step at a time. The rows that say so and their entries are one transaction:
 *
 * 1. `apply_retention` locks the holds of the organization and what may rest on the things, looks, and marks.
 *    A crash here: nothing happened.
 * 2. `content.removed` for each thing, `retention.applied` for the step. The database refuses a mark without its entry.
 * 3. COMMIT. From now on nobody gets the bytes. A crash here: the files lie there still, marked; the next round of
 *    {@link SettleRemovedFiles} deletes them, and until then a legal hold takes the mark back.
 */
export class ApplyRetention {
  constructor(private readonly appendEntry: AppendEntry) {}

  async step(tx: Tx, kind: RetentionKind, after: string | undefined): Promise<RetentionStep> {
    const removal = newId();
    const [row] = await tx.query<{ applied: Applied }>(
      'SELECT apply_retention($1, $2, $3, $4, $5) AS applied',
      [tx.organizationId, kind, after ?? null, BATCH, removal],
    );
    if (row === undefined) throw new Error('apply_retention() answered nothing');
    const { removed, last } = row.applied;
    await this.record(tx, kind, removal, removed);
    return { removed: removed.length, next: last ?? undefined };
  }

  private async record(
    tx: Tx,
    kind: RetentionKind,
    removal: string,
    removed: Applied['removed'],
  ): Promise<void> {
    if (removed.length === 0) return;
    const removalId = publicId('removal', removal);
    for (const thing of removed)
      await this.appendEntry.append(tx, {
        type: 'content.removed',
        projectId: thing.project ?? undefined,
        actor: SYSTEM_ACTOR,
        subject: { kind: SUBJECT_OF_REMOVED[thing.kind], id: thing.subject },
        data: {
          removalId,
          kind: thing.kind,
          ...(thing.attachment !== null && { thingId: publicId('attachment', thing.attachment) }),
          cause: 'retention',
          rule: { kind, scopeId: scopeId(tx, thing.scope), version: thing.version },
          sha256: [...thing.hashes],
        },
      });
    await this.appendEntry.append(tx, {
      type: 'retention.applied',
      actor: SYSTEM_ACTOR,
      subject: { kind: 'removal', id: removalId },
      data: {
        kind,
        things: removed.length,
        files: new Set(removed.flatMap(({ hashes }) => hashes)).size,
      },
    });
  }
}

function scopeId({ organizationId }: Tx, scope: string): string {
  const kind: IdKind = scope === organizationId ? 'organization' : 'project';
  return publicId(kind, scope);
}
