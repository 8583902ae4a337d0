import { type ObligationOutcome } from '../../audit/core/entries/license-entries.js';
import { type Tx } from '../../database/organization-tx.js';
import { type AssetObligation } from '../domain/asset-obligation.js';

/** What a person said of an obligation. The words are sealed: here encrypted, in the log as commitments. */
export interface ObligationProof {
  readonly id: string;
  readonly outcome: ObligationOutcome;
  readonly provedBy: string;
  readonly sealedText: string;
  readonly sealedUrl: string | undefined;
  readonly evidenceAssetId: string | undefined;
  readonly evidenceSha256: string | undefined;
  readonly entryId: string;
  readonly createdAt: Date;
}

export interface OwedObligation {
  readonly id: string;
  /** As it was hashed. */
  readonly bytes: Buffer;
  readonly obligation: AssetObligation;
  readonly state: ObligationOutcome;
  /** Oldest first; the last one counts. */
  readonly proofs: readonly ObligationProof[];
}

export interface ObligationList {
  readonly calendarSha256: string;
  readonly calendarReadOn: string;
  readonly sha256: string;
  /** The `asset.signed` entry, which names `sha256`: also the evidence of what the program proved itself. */
  readonly entryId: string;
  readonly items: readonly OwedObligation[];
}

interface ListRow {
  sha256: string;
  calendar_sha256: string;
  calendar_read_on: string;
  entry_id: string;
}

interface ProofRow {
  obligation_id: string;
  id: string;
  outcome: ObligationOutcome;
  proved_by: string;
  sealed_text: string;
  sealed_url: string | null;
  evidence_asset_id: string | null;
  evidence_sha256: string | null;
  entry_id: string;
  created_at: Date;
}

/** @returns `undefined` when nobody worked them out: the asset is older than that. It does not mean that nothing is owed. */
export async function readObligations(tx: Tx, assetId: string): Promise<ObligationList | undefined> {
  const [list] = await tx.query<ListRow>(
    `SELECT sha256, calendar_sha256, calendar_read_on::text, entry_id FROM asset_obligation_list
      WHERE organization_id = $1 AND asset_id = $2`,
    [tx.organizationId, assetId],
  );
  if (list === undefined) return undefined;
  const rows = await tx.query<{ id: string; obligation: Buffer }>(
    `SELECT id, obligation FROM asset_obligation WHERE organization_id = $1 AND asset_id = $2 ORDER BY ordinal`,
    [tx.organizationId, assetId],
  );
  const proofs = await proofsOf(tx, assetId);
  return {
    calendarSha256: list.calendar_sha256,
    calendarReadOn: list.calendar_read_on,
    sha256: list.sha256,
    entryId: list.entry_id,
    items: rows.map(({ id, obligation }) => owed(id, obligation, proofs.get(id) ?? [])),
  };
}

async function proofsOf(tx: Tx, assetId: string): Promise<Map<string, ObligationProof[]>> {
  const rows = await tx.query<ProofRow>(
    `SELECT obligation_id, id, outcome, proved_by, sealed_text, sealed_url, evidence_asset_id, evidence_sha256,
            entry_id, created_at
       FROM obligation_proof WHERE organization_id = $1 AND asset_id = $2 ORDER BY obligation_id, ordinal`,
    [tx.organizationId, assetId],
  );
  const found = new Map<string, ObligationProof[]>();
  for (const row of rows) {
    const proof: ObligationProof = {
      id: row.id,
      outcome: row.outcome,
      provedBy: row.proved_by,
      sealedText: row.sealed_text,
      sealedUrl: row.sealed_url ?? undefined,
      evidenceAssetId: row.evidence_asset_id ?? undefined,
      evidenceSha256: row.evidence_sha256 ?? undefined,
      entryId: row.entry_id,
      createdAt: row.created_at,
    };
    found.set(row.obligation_id, [...(found.get(row.obligation_id) ?? []), proof]);
  }
  return found;
}

function owed(id: string, bytes: Buffer, proofs: readonly ObligationProof[]): OwedObligation {
  const obligation = JSON.parse(bytes.toString('utf8')) as AssetObligation;
  return { id, bytes, obligation, state: stateOf(obligation, proofs), proofs };
}

/** What a person said last counts; without a word of anybody, what the program proved as a whole. */
export function stateOf(
  { systemProof }: AssetObligation,
  proofs: readonly Pick<ObligationProof, 'outcome'>[],
): ObligationOutcome {
  return proofs.at(-1)?.outcome ?? (systemProof?.extent === 'whole' ? 'done' : 'open');
}
