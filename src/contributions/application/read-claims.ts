import { type ClaimKind, type ClaimOutcome } from '../../audit/core/diligence-words.js';
import { type Tx } from '../../database/organization-tx.js';
import { type ClaimStanding, claimStanding } from '../domain/diligence/claim.js';

/** A dossier prints all of them. */
export const MAX_CLAIMS = 200;
export const MAX_ANSWERS = 100;

/** Ids are UUIDs. */
export interface ClaimAnswer {
  readonly id: string;
  readonly outcome: ClaimOutcome;
  readonly sealedText: string;
  readonly evidenceSha256: string | undefined;
  readonly answeredBy: string;
  readonly entryId: string;
  readonly createdAt: Date;
}

export interface Claim {
  readonly id: string;
  readonly assetId: string;
  readonly kind: ClaimKind;
  /** `YYYY-MM-DD`. */
  readonly receivedOn: string;
  readonly respondBy: string | undefined;
  readonly sealedClaimant: string;
  readonly sealedText: string;
  readonly evidenceSha256: string | undefined;
  readonly recordedBy: string;
  readonly entryId: string;
  readonly createdAt: Date;
  /** Oldest first; the last one counts. */
  readonly answers: readonly ClaimAnswer[];
  readonly standing: ClaimStanding;
}

interface ClaimRow {
  id: string;
  asset_id: string;
  kind: ClaimKind;
  received_on: string;
  respond_by: string | null;
  sealed_claimant: string;
  sealed_text: string;
  evidence_sha256: string | null;
  recorded_by: string;
  entry_id: string;
  created_at: Date;
}

interface AnswerRow {
  claim_id: string;
  id: string;
  outcome: ClaimOutcome;
  sealed_text: string;
  evidence_sha256: string | null;
  answered_by: string;
  entry_id: string;
  created_at: Date;
}

const COLUMNS = `id, asset_id, kind, to_char(received_on, 'YYYY-MM-DD') AS received_on,
  to_char(respond_by, 'YYYY-MM-DD') AS respond_by, sealed_claimant, sealed_text, evidence_sha256, recorded_by, entry_id,
  created_at`;

/** Claims on these assets, oldest first. */
export async function readClaims(tx: Tx, assetIds: readonly string[]): Promise<Claim[]> {
  const rows = await tx.query<ClaimRow>(
    `SELECT ${COLUMNS} FROM asset_claim WHERE organization_id = $1 AND asset_id = ANY($2::uuid[]) ORDER BY id`,
    [tx.organizationId, assetIds],
  );
  return withAnswers(tx, rows);
}

/** `undefined` when there is none with this id. */
export async function readClaim(tx: Tx, id: string): Promise<Claim | undefined> {
  const rows = await tx.query<ClaimRow>(
    `SELECT ${COLUMNS} FROM asset_claim WHERE organization_id = $1 AND id = $2`,
    [tx.organizationId, id],
  );
  return (await withAnswers(tx, rows))[0];
}

/** Of the whole organization, newest first. @param beforeId UUID of the last one of the page before */
export async function readClaimPage(
  tx: Tx,
  page: { readonly limit: number; readonly beforeId: string | undefined },
): Promise<Claim[]> {
  const rows = await tx.query<ClaimRow>(
    `SELECT ${COLUMNS} FROM asset_claim WHERE organization_id = $1 AND ($2::uuid IS NULL OR id < $2)
      ORDER BY id DESC LIMIT $3`,
    [tx.organizationId, page.beforeId ?? null, page.limit],
  );
  return withAnswers(tx, rows);
}

async function withAnswers(tx: Tx, claims: readonly ClaimRow[]): Promise<Claim[]> {
  const answers = await tx.query<AnswerRow>(
    `SELECT claim_id, id, outcome, sealed_text, evidence_sha256, answered_by, entry_id, created_at
       FROM claim_answer WHERE organization_id = $1 AND claim_id = ANY($2::uuid[]) ORDER BY claim_id, ordinal`,
    [tx.organizationId, claims.map(({ id }) => id)],
  );
  return claims.map((row) => {
    const own = answers.filter(({ claim_id }) => claim_id === row.id).map(toAnswer);
    return {
      id: row.id,
      assetId: row.asset_id,
      kind: row.kind,
      receivedOn: row.received_on,
      respondBy: row.respond_by ?? undefined,
      sealedClaimant: row.sealed_claimant,
      sealedText: row.sealed_text,
      evidenceSha256: row.evidence_sha256 ?? undefined,
      recordedBy: row.recorded_by,
      entryId: row.entry_id,
      createdAt: row.created_at,
      answers: own,
      standing: claimStanding(own.map(({ outcome }) => outcome)),
    };
  });
}

function toAnswer(row: AnswerRow): ClaimAnswer {
  return {
    id: row.id,
    outcome: row.outcome,
    sealedText: row.sealed_text,
    evidenceSha256: row.evidence_sha256 ?? undefined,
    answeredBy: row.answered_by,
    entryId: row.entry_id,
    createdAt: row.created_at,
  };
}
