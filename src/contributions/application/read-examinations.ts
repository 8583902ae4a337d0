import { type ExaminationResult, type ExaminedQuestion } from '../../audit/core/diligence-words.js';
import { type Tx } from '../../database/organization-tx.js';
import { type ExaminedMatter } from '../domain/diligence/examination.js';

/** A dossier prints all of them. */
export const MAX_EXAMINATIONS = 200;

/** As it stands in the entry. */
export interface ExaminationDetails {
  readonly tool?: { readonly name: string; readonly version: string };
  readonly matter?: ExaminedMatter[];
  readonly index?: string;
  readonly matches?: number;
}

/** Ids are UUIDs. */
export interface Examination {
  readonly id: string;
  readonly assetId: string;
  readonly question: ExaminedQuestion;
  readonly result: ExaminationResult;
  /** `YYYY-MM-DD`. */
  readonly examinedOn: string;
  readonly details: ExaminationDetails;
  readonly sealedText: string;
  readonly sealedDocument: string | undefined;
  readonly evidenceAssetId: string | undefined;
  readonly evidenceSha256: string | undefined;
  readonly examinedBy: string;
  readonly entryId: string;
  readonly createdAt: Date;
}

interface Row {
  id: string;
  asset_id: string;
  question: ExaminedQuestion;
  result: ExaminationResult;
  examined_on: string;
  details: ExaminationDetails;
  sealed_text: string;
  sealed_document: string | null;
  evidence_asset_id: string | null;
  evidence_sha256: string | null;
  examined_by: string;
  entry_id: string;
  created_at: Date;
}

/** Oldest first. */
export async function readExaminations(tx: Tx, assetIds: readonly string[]): Promise<Examination[]> {
  const rows = await tx.query<Row>(
    `SELECT id, asset_id, question, result, to_char(examined_on, 'YYYY-MM-DD') AS examined_on, details, sealed_text,
            sealed_document, evidence_asset_id, evidence_sha256, examined_by, entry_id, created_at
       FROM asset_examination WHERE organization_id = $1 AND asset_id = ANY($2::uuid[]) ORDER BY id`,
    [tx.organizationId, assetIds],
  );
  return rows.map((row) => ({
    id: row.id,
    assetId: row.asset_id,
    question: row.question,
    result: row.result,
    examinedOn: row.examined_on,
    details: row.details,
    sealedText: row.sealed_text,
    sealedDocument: row.sealed_document ?? undefined,
    evidenceAssetId: row.evidence_asset_id ?? undefined,
    evidenceSha256: row.evidence_sha256 ?? undefined,
    examinedBy: row.examined_by,
    entryId: row.entry_id,
    createdAt: row.created_at,
  }));
}

export async function countExaminations(tx: Tx, assetId: string): Promise<number> {
  const [row] = await tx.query<{ count: number }>(
    'SELECT count(*)::int AS count FROM asset_examination WHERE organization_id = $1 AND asset_id = $2',
    [tx.organizationId, assetId],
  );
  return row?.count ?? 0;
}
