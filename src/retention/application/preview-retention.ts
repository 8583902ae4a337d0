import { type Tx } from '../../database/organization-tx.js';
import { type RemovedKind } from '../../audit/core/entries/retention-entries.js';
import { type KeptBecause, type RetentionKind } from '../domain/retention-rule.js';

/** What would become of one thing if removal ran now. Ids are UUIDs unless they are named public. */
export interface RetentionForecast {
  readonly thing: { readonly kind: RemovedKind; readonly id: string };
  /** Public id of what the log names: the thing itself, or the contribution of an attachment. */
  readonly subjectId: string;
  readonly projectId: string | undefined;
  /** Absent where no rule is. */
  readonly rule: { readonly scopeId: string; readonly version: number } | undefined;
  readonly dueAt: Date | undefined;
  /** Empty: it would be removed. */
  readonly keptBecause: readonly KeptBecause[];
  readonly holdIds: readonly string[];
  /** SHA-256 of its files. */
  readonly hashes: readonly string[];
  readonly sizeBytes: number | undefined;
}

interface Row {
  thing_kind: RemovedKind;
  thing_id: string;
  subject_id: string;
  project_id: string;
  scope_id: string | null;
  version: number | null;
  due_at: Date | null;
  reasons: KeptBecause[];
  holds: string[];
  hashes: string[];
  size_bytes: string | null;
}

/** Answered by the very function that removal acts upon (migration 0035): what is shown is what would happen. */
export class PreviewRetention {
  /** In the order of the ids. @param filter.after the last thing of the page before (UUID) */
  async page(
    tx: Tx,
    filter: { readonly kind: RetentionKind; readonly after: string | undefined; readonly limit: number },
  ): Promise<RetentionForecast[]> {
    const rows = await tx.query<Row>('SELECT * FROM retention_state($1, $2, $3, $4, NULL)', [
      tx.organizationId,
      filter.kind,
      filter.after ?? null,
      filter.limit,
    ]);
    return rows.map((row) => ({
      thing: { kind: row.thing_kind, id: row.thing_id },
      subjectId: row.subject_id,
      projectId: row.project_id === tx.organizationId ? undefined : row.project_id,
      rule:
        row.scope_id === null || row.version === null
          ? undefined
          : { scopeId: row.scope_id, version: row.version },
      dueAt: row.due_at ?? undefined,
      keptBecause: row.reasons,
      holdIds: row.holds,
      hashes: row.hashes,
      sizeBytes: row.size_bytes === null ? undefined : Number(row.size_bytes),
    }));
  }
}
