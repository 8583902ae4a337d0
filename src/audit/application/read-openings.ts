import { type Tx } from '../../database/organization-tx.js';
import { type LoggedEntry } from './read-log.js';
import { type SubjectVault } from './subject-vault.js';

/** What opens one commitment of one entry. Secret until somebody decides to disclose it. */
export interface DisclosedOpening {
  readonly index: number;
  readonly field: string;
  /** base64url, 32 bytes. */
  readonly salt: string;
  readonly value: string;
}

interface OpeningRow {
  entry_id: string;
  field: string;
  subject_id: string;
  sealed_opening: string;
}

/** Opens the commitments of entries for a report. What was erased is left out; its commitment stays. */
export class ReadOpenings {
  constructor(private readonly vault: SubjectVault) {}

  async of(tx: Tx, entries: readonly LoggedEntry[]): Promise<DisclosedOpening[]> {
    const indexOf = new Map(entries.map(({ entryId, index }) => [entryId, index]));
    const rows = await tx.query<OpeningRow>(
      `SELECT entry_id, field, subject_id, sealed_opening FROM audit_opening
        WHERE organization_id = $1 AND entry_id = ANY($2::uuid[]) ORDER BY entry_id, field`,
      [tx.organizationId, [...indexOf.keys()]],
    );
    const opened: DisclosedOpening[] = [];
    for (const row of rows) {
      const index = indexOf.get(row.entry_id);
      const plain = await this.vault.decrypt(tx, row.subject_id, row.sealed_opening);
      if (plain === undefined || index === undefined) continue;
      const { salt, value } = JSON.parse(plain) as { salt: string; value: string };
      opened.push({ index, field: row.field, salt, value });
    }
    return opened;
  }
}
