import { type Tx } from '../../database/organization-tx.js';
import {
  LEGAL_HOLD_COLUMNS,
  type LegalHold,
  type LegalHoldRow,
  readLegalHold,
  toLegalHold,
} from './legal-hold.js';
import { type SubjectVault } from './subject-vault.js';

/** A hold with the words in which it was placed and lifted; `undefined` where there are none, or after an erasure. */
export interface ExplainedHold {
  readonly hold: LegalHold;
  readonly reason: string | undefined;
  readonly liftedReason: string | undefined;
}

/** The entries whose sealed words are shown with these holds. */
export function entriesOpened(holds: readonly ExplainedHold[]): string[] {
  return holds.flatMap(({ hold, reason, liftedReason }) => [
    ...(reason === undefined ? [] : [hold.placedEntryId]),
    ...(liftedReason === undefined || hold.lifted === undefined ? [] : [hold.lifted.entryId]),
  ]);
}

interface OpeningRow {
  entry_id: string;
  subject_id: string;
  sealed_opening: string;
}

export class ListLegalHolds {
  constructor(private readonly vault: SubjectVault) {}

  /** Newest first. @param filter.before the id of the last hold of the page before */
  async list(
    tx: Tx,
    filter: {
      readonly before: string | undefined;
      readonly limit: number;
      readonly inForce: boolean | undefined;
    },
  ): Promise<ExplainedHold[]> {
    const rows = await tx.query<LegalHoldRow>(
      `SELECT ${LEGAL_HOLD_COLUMNS} FROM legal_hold
        WHERE organization_id = $1 AND ($2::uuid IS NULL OR id < $2)
          AND ($3::boolean IS NULL OR (lifted_at IS NULL) = $3)
        ORDER BY id DESC LIMIT $4`,
      [tx.organizationId, filter.before ?? null, filter.inForce ?? null, filter.limit],
    );
    return this.explain(tx, rows.map(toLegalHold));
  }

  /** @throws ColophonError `not_found` */
  async get(tx: Tx, id: string): Promise<ExplainedHold> {
    const [explained] = await this.explain(tx, [await readLegalHold(tx, id)]);
    if (!explained) throw new Error('a hold was lost while it was explained');
    return explained;
  }

  private async explain(tx: Tx, holds: readonly LegalHold[]): Promise<ExplainedHold[]> {
    const entryIds = holds.flatMap(({ placedEntryId, lifted }) =>
      lifted ? [placedEntryId, lifted.entryId] : [placedEntryId],
    );
    const rows = await tx.query<OpeningRow>(
      `SELECT entry_id, subject_id, sealed_opening FROM audit_opening
        WHERE organization_id = $1 AND entry_id = ANY($2::uuid[]) AND field = 'reason'`,
      [tx.organizationId, entryIds],
    );
    const reasons = new Map<string, string>();
    for (const row of rows) {
      const plain = await this.vault.decrypt(tx, row.subject_id, row.sealed_opening);
      if (plain !== undefined) reasons.set(row.entry_id, (JSON.parse(plain) as { value: string }).value);
    }
    return holds.map((hold) => ({
      hold,
      reason: reasons.get(hold.placedEntryId),
      liftedReason: hold.lifted && reasons.get(hold.lifted.entryId),
    }));
  }
}
