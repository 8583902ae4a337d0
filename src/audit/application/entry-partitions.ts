import type pg from 'pg';

/** Indices in one partition of `audit_entry`, as in migrations/0002-audit.ts: 256^3, whole tiles up to level 2. */
export const PARTITION_WIDTH = 16_777_216;

/**
 * Makes sure that the partitions exist into which entries are about to go, and the next one half a partition ahead of
 * need. What is known to exist is remembered, so this asks the database once in eight million entries.
 */
export class EntryPartitions {
  private readonly open = new Set<number>();

  /** @param from first index, @param until index after the last one */
  async ensure(database: Pick<pg.Pool, 'query'>, from: number, until: number): Promise<void> {
    for (const index of [from, until - 1, until + PARTITION_WIDTH / 2]) {
      const ordinal = Math.floor(index / PARTITION_WIDTH);
      if (this.open.has(ordinal)) continue;
      await database.query('SELECT open_entry_partition($1)', [index]);
      this.open.add(ordinal);
    }
  }
}
