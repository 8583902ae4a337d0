import type pg from 'pg';

/** A checkpoint that this log signed, as recorded before anybody saw it. */
export interface RecordedCheckpoint {
  readonly size: number;
  /** The signed note, without cosignatures. */
  readonly note: Buffer;
  readonly signedAt: Date;
}

export interface StoredCosignature {
  /** Key name and key id, see `witnessKeyName`. */
  readonly witness: string;
  /** The signature line, without newline. */
  readonly line: string;
  readonly witnessedAt: Date;
  readonly receivedAt: Date;
}

interface CheckpointRow {
  size: string;
  note: string;
  signed_at: Date;
}

/** Checkpoints and their cosignatures in the database, by the sequencer's connections. */
export class WitnessRecords {
  constructor(private readonly pool: pg.Pool) {}

  async newest(organizationId: string): Promise<RecordedCheckpoint | undefined> {
    const { rows } = await this.pool.query<CheckpointRow>(
      `SELECT size, note, signed_at FROM audit_checkpoint
        WHERE organization_id = $1 ORDER BY size DESC LIMIT 1`,
      [organizationId],
    );
    return rows.map(toCheckpoint)[0];
  }

  async ofSize(organizationId: string, size: number): Promise<RecordedCheckpoint | undefined> {
    const { rows } = await this.pool.query<CheckpointRow>(
      'SELECT size, note, signed_at FROM audit_checkpoint WHERE organization_id = $1 AND size = $2',
      [organizationId, size],
    );
    return rows.map(toCheckpoint)[0];
  }

  /** Signature lines, without newline. */
  async cosignatures(organizationId: string, size: number): Promise<string[]> {
    const { rows } = await this.pool.query<{ cosignature: string }>(
      'SELECT cosignature FROM audit_cosignature WHERE organization_id = $1 AND size = $2 ORDER BY witness',
      [organizationId, size],
    );
    return rows.map(({ cosignature }) => cosignature);
  }

  /** The first cosignature of a witness on a checkpoint stays. */
  async addCosignature(organizationId: string, size: number, cosignature: StoredCosignature): Promise<void> {
    await this.pool.query(
      `INSERT INTO audit_cosignature (organization_id, size, witness, cosignature, witnessed_at, received_at)
       VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (organization_id, size, witness) DO NOTHING`,
      [
        organizationId,
        size,
        cosignature.witness,
        cosignature.line,
        cosignature.witnessedAt,
        cosignature.receivedAt,
      ],
    );
  }
}

function toCheckpoint(row: CheckpointRow): RecordedCheckpoint {
  return { size: Number(row.size), note: Buffer.from(row.note, 'utf8'), signedAt: row.signed_at };
}
