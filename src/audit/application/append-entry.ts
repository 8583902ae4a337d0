import { type Tx } from '../../database/organization-tx.js';
import { type Clock } from '../../shared/clock.js';
import { newId } from '../../shared/ids.js';
import { buildEntry, type EntryInput } from '../core/entry.js';
import { seal } from '../core/commitment.js';
import { type SubjectVault } from './subject-vault.js';

/** A value that the log commits to without showing it: a prompt, a rationale, a comment. */
export interface SealedValue {
  readonly value: string;
  /** The data subject under whose key the opening is kept. */
  readonly subjectId: string;
}

type WithoutEnvelope<T> = T extends unknown ? Omit<T, 'at' | 'sealed'> : never;
export type NewEntry = WithoutEnvelope<EntryInput> & {
  readonly sealed?: Readonly<Record<string, SealedValue>>;
};

/**
 * Writes an entry into the outbox of the log, in the caller's own transaction: the business change and its entry
 * are committed together or not at all. The sequencer gives it its index afterwards.
 */
export class AppendEntry {
  constructor(
    private readonly vault: SubjectVault,
    private readonly clock: Clock,
    private readonly wakeSequencer: () => void,
  ) {}

  /** @returns the entry's id (UUID), by which it can be found before and after it has an index. */
  async append(tx: Tx, entry: NewEntry): Promise<string> {
    const entryId = newId();
    const at = this.clock.now();
    const { sealed, ...visible } = entry;
    const commitments = await this.sealValues(tx, entryId, sealed ?? {});
    const input = {
      ...visible,
      at: at.toISOString(),
      ...(Object.keys(commitments).length > 0 ? { sealed: commitments } : {}),
    } as EntryInput;
    const { bytes } = buildEntry(input);
    await tx.query(
      `INSERT INTO audit_pending
         (organization_id, entry_id, entry, entry_type, subject_kind, subject_id, actor_id, recorded_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
      [
        tx.organizationId,
        entryId,
        bytes,
        input.type,
        input.subject.kind,
        input.subject.id,
        input.actor.id,
        at,
      ],
    );
    tx.afterCommit(this.wakeSequencer);
    return entryId;
  }

  private async sealValues(
    tx: Tx,
    entryId: string,
    values: Readonly<Record<string, SealedValue>>,
  ): Promise<Record<string, string>> {
    const openings = Object.entries(values).map(([field, { value, subjectId }]) => ({
      field,
      value,
      subjectId,
      ...seal(value),
    }));
    for (const { field, value, subjectId, opening } of openings) {
      const plain = JSON.stringify({ salt: Buffer.from(opening.salt).toString('base64url'), value });
      // The opening's key is created on first use, and a foreign key keeps openings from outliving it.
      const sealedOpening = await this.vault.encrypt(tx, subjectId, plain);
      await tx.query(
        `INSERT INTO audit_opening (organization_id, entry_id, field, subject_id, sealed_opening)
         VALUES ($1, $2, $3, $4, $5)`,
        [tx.organizationId, entryId, field, subjectId, sealedOpening],
      );
    }
    return Object.fromEntries(openings.map(({ field, commitment }) => [field, commitment]));
  }
}
