import { type Tx } from '../../database/organization-tx.js';
import { type ErasureReason } from '../core/entries/retention-entries.js';

/** When and why a value went. */
export interface ValueErasure {
  readonly erasedAt: Date;
  readonly reason: ErasureReason;
}

interface ErasureRow {
  erased_at: Date;
  reason: ErasureReason;
}

/** For whoever meets a value that cannot be opened any more. */
export class ReadErasures {
  /**
   * The erasure that took a value of this subject sealed at `sealedAt`. `undefined` when none is recorded: then the
   * value was removed from the database by somebody who did not use this program.
   */
  async ofValue(tx: Tx, subjectId: string, sealedAt: Date): Promise<ValueErasure | undefined> {
    const [row] = await tx.query<ErasureRow>(
      `SELECT erased_at, reason FROM erasure
        WHERE organization_id = $1 AND subject_id = $2 AND erased_at >= $3 ORDER BY erased_at LIMIT 1`,
      [tx.organizationId, subjectId, sealedAt],
    );
    return row && { erasedAt: row.erased_at, reason: row.reason };
  }

  /** How many erasures there were in the organization. Grows when one happens. */
  async count(tx: Tx): Promise<number> {
    const [row] = await tx.query<{ count: number }>(
      'SELECT count(*)::int AS count FROM erasure WHERE organization_id = $1',
      [tx.organizationId],
    );
    return row?.count ?? 0;
  }

  /** None of these people is erased from now until this transaction ends; an erasure under way is waited for. */
  async holdOff(tx: Tx, subjectIds: readonly string[]): Promise<void> {
    await tx.query(
      'SELECT count(*) FROM unnest($2::uuid[]) AS s(id), LATERAL subject_key_for_sealing($1, s.id)',
      [tx.organizationId, [...subjectIds].sort()],
    );
  }
}
