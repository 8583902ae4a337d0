import { type Tx } from '../../database/organization-tx.js';
import { cosignedNote } from '../core/cosigned-note.js';

/** Whether these witnesses are enough under the operator's policy. Without a policy there is nothing to meet. */
export type WitnessQuorum = (witnessNames: readonly string[]) => boolean;

export interface WitnessedCheckpoint {
  readonly size: number;
  /** The signed note with the cosignatures. */
  readonly note: Buffer;
  readonly witnesses: readonly { readonly name: string; readonly at: Date }[];
}

export interface TimeStamp {
  readonly size: number;
  readonly authority: string;
  /** genTime of the token: what lies under this checkpoint existed by then. */
  readonly at: Date;
  /** DER, CMS ContentInfo. */
  readonly token: Buffer;
}

interface CosignatureRow {
  size: string;
  note: string;
  witness: string;
  cosignature: string;
  witnessed_at: Date;
}

/** Checkpoints looked at in one query, when the quorum needs several of many witnesses. */
const PAGE = 64;

/** What others have said about the checkpoints of a log: witnesses and time-stamp authorities. */
export class AnchoredCheckpoints {
  constructor(private readonly quorum: WitnessQuorum | undefined) {}

  /** The first checkpoint over an entry that meets the policy: the earliest moment at which others had seen it. */
  firstWitnessed(tx: Tx, index: number): Promise<WitnessedCheckpoint | undefined> {
    return this.findWitnessed(tx, index, 'ASC');
  }

  /** The newest checkpoint over an entry that meets the policy. */
  newestWitnessed(tx: Tx, index: number): Promise<WitnessedCheckpoint | undefined> {
    return this.findWitnessed(tx, index, 'DESC');
  }

  /** The first time-stamp on a checkpoint over an entry. */
  async firstTimeStamp(tx: Tx, index: number): Promise<TimeStamp | undefined> {
    const [row] = await tx.query<TimeStampRow>(
      `SELECT size, authority, stamped_at, token FROM audit_time_stamp
        WHERE organization_id = $1 AND size > $2 ORDER BY size, stamped_at LIMIT 1`,
      [tx.organizationId, index],
    );
    return row && toTimeStamp(row);
  }

  /** All time-stamps on one checkpoint. */
  async timeStampsOf(tx: Tx, size: number): Promise<TimeStamp[]> {
    const rows = await tx.query<TimeStampRow>(
      `SELECT size, authority, stamped_at, token FROM audit_time_stamp
        WHERE organization_id = $1 AND size = $2 ORDER BY authority`,
      [tx.organizationId, size],
    );
    return rows.map(toTimeStamp);
  }

  /** Size of the newest checkpoint over an entry that meets the policy, where there is one, and has a time-stamp. */
  async newestWitnessedAndStamped(tx: Tx, index: number): Promise<number | undefined> {
    for (let before: number | undefined; ;) {
      const rows = await tx.query<{ size: string; witnesses: string[] }>(
        `SELECT t.size, coalesce(array_agg(s.witness) FILTER (WHERE s.witness IS NOT NULL), '{}') AS witnesses
           FROM (SELECT DISTINCT organization_id, size FROM audit_time_stamp
                  WHERE organization_id = $1 AND size > $2 AND ($3::bigint IS NULL OR size < $3)
                  ORDER BY size DESC LIMIT ${PAGE}) t
           LEFT JOIN audit_cosignature s ON s.organization_id = t.organization_id AND s.size = t.size
          GROUP BY t.size ORDER BY t.size DESC`,
        [tx.organizationId, index, before ?? null],
      );
      const found = rows.find(({ witnesses }) => this.quorum?.(witnesses) ?? true);
      if (found !== undefined) return Number(found.size);
      if (rows.length < PAGE) return undefined;
      before = Number(rows.at(-1)?.size);
    }
  }

  /** Size of the newest checkpoint over an entry that has a time-stamp. */
  async newestStamped(tx: Tx, index: number): Promise<number | undefined> {
    const [row] = await tx.query<{ size: string }>(
      `SELECT size FROM audit_time_stamp WHERE organization_id = $1 AND size > $2 ORDER BY size DESC LIMIT 1`,
      [tx.organizationId, index],
    );
    return row && Number(row.size);
  }

  /** A recorded checkpoint as the log signed it, and the stored cosignatures: lines of a note, without newline. */
  async recorded(
    tx: Tx,
    size: number,
  ): Promise<{ readonly note: Buffer; readonly cosignatures: readonly string[] } | undefined> {
    const rows = await tx.query<{ note: string; cosignature: string | null }>(
      `SELECT c.note, s.cosignature FROM audit_checkpoint c
         LEFT JOIN audit_cosignature s ON s.organization_id = c.organization_id AND s.size = c.size
        WHERE c.organization_id = $1 AND c.size = $2`,
      [tx.organizationId, size],
    );
    const [first] = rows;
    if (first === undefined) return undefined;
    const cosignatures = rows.flatMap(({ cosignature }) => cosignature ?? []);
    return { note: Buffer.from(first.note, 'utf8'), cosignatures };
  }

  /** The newest time-stamped checkpoint that is not larger than `size`, as it was signed, with its time-stamps. */
  async newestTimeStamped(
    tx: Tx,
    size: number,
  ): Promise<{ size: number; note: Buffer; timeStamps: TimeStamp[] } | undefined> {
    const [row] = await tx.query<{ size: string; note: string }>(
      `SELECT size, note FROM audit_checkpoint c WHERE organization_id = $1 AND size = (
          SELECT max(size) FROM audit_time_stamp WHERE organization_id = $1 AND size <= $2)`,
      [tx.organizationId, size],
    );
    if (row === undefined) return undefined;
    const timeStamps = await this.timeStampsOf(tx, Number(row.size));
    return { size: Number(row.size), note: Buffer.from(row.note, 'utf8'), timeStamps };
  }

  private async findWitnessed(
    tx: Tx,
    index: number,
    order: 'ASC' | 'DESC',
  ): Promise<WitnessedCheckpoint | undefined> {
    if (this.quorum === undefined) return undefined;
    let after: number | undefined;
    for (;;) {
      const sizes = await tx.query<{ size: string }>(
        `SELECT DISTINCT size FROM audit_cosignature WHERE organization_id = $1 AND size > $2
            AND ($3::bigint IS NULL OR CASE WHEN $4 = 'ASC' THEN size > $3 ELSE size < $3 END)
          ORDER BY size ${order} LIMIT ${PAGE}`,
        [tx.organizationId, index, after ?? null, order],
      );
      if (sizes.length === 0) return undefined;
      for (const { size } of sizes) {
        const found = await this.ifWitnessed(tx, Number(size));
        if (found) return found;
      }
      after = Number(sizes.at(-1)?.size);
    }
  }

  private async ifWitnessed(tx: Tx, size: number): Promise<WitnessedCheckpoint | undefined> {
    const rows = await tx.query<CosignatureRow>(
      `SELECT c.size, c.note, s.witness, s.cosignature, s.witnessed_at
         FROM audit_cosignature s JOIN audit_checkpoint c ON c.organization_id = s.organization_id AND c.size = s.size
        WHERE s.organization_id = $1 AND s.size = $2 ORDER BY s.witness`,
      [tx.organizationId, size],
    );
    if (!this.quorum?.(rows.map(({ witness }) => witness))) return undefined;
    const note = Buffer.from(rows[0]?.note ?? '', 'utf8');
    return {
      size,
      note: cosignedNote(
        note,
        rows.map(({ cosignature }) => cosignature),
      ),
      witnesses: rows.map(({ witness, witnessed_at }) => ({ name: witness, at: witnessed_at })),
    };
  }
}

interface TimeStampRow {
  size: string;
  authority: string;
  stamped_at: Date;
  token: Buffer;
}

function toTimeStamp(row: TimeStampRow): TimeStamp {
  return { size: Number(row.size), authority: row.authority, at: row.stamped_at, token: row.token };
}
