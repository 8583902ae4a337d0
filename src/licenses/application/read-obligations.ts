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
  /** What was owed beside the list, or otherwise, on a later day, and of which somebody said something. Oldest first. */
  readonly later: readonly OwedObligation[];
}

interface ListRow {
  asset_id: string;
  sha256: string;
  calendar_sha256: string;
  calendar_read_on: string;
  entry_id: string;
}

interface ObligationRow {
  asset_id: string;
  id: string;
  obligation: Buffer;
}

interface ProofRow {
  asset_id: string;
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
  return (await readObligationsOf(tx, [assetId])).get(assetId);
}

/** Those of several assets, in as many statements as of one. Assets of which nobody worked them out are not in it. */
export async function readObligationsOf(
  tx: Tx,
  assetIds: readonly string[],
): Promise<Map<string, ObligationList>> {
  const lists = await tx.query<ListRow>(
    `SELECT asset_id, sha256, calendar_sha256, calendar_read_on::text, entry_id FROM asset_obligation_list
      WHERE organization_id = $1 AND asset_id = ANY($2::uuid[])`,
    [tx.organizationId, assetIds],
  );
  if (lists.length === 0) return new Map();
  const listed = await rowsOf(tx, assetIds, 'asset_obligation', 'ordinal');
  const later = await rowsOf(tx, assetIds, 'later_obligation', 'created_at, id');
  const proofs = await proofsOf(tx, assetIds);
  const owedOf = (rows: ReadonlyMap<string, ObligationRow[]>, assetId: string): OwedObligation[] =>
    (rows.get(assetId) ?? []).map(({ id, obligation }) =>
      owed(id, obligation, proofs.get(`${assetId} ${id}`) ?? []),
    );
  return new Map(
    lists.map((list): [string, ObligationList] => [
      list.asset_id,
      {
        calendarSha256: list.calendar_sha256,
        calendarReadOn: list.calendar_read_on,
        sha256: list.sha256,
        entryId: list.entry_id,
        items: owedOf(listed, list.asset_id),
        later: owedOf(later, list.asset_id),
      },
    ]),
  );
}

async function rowsOf(
  tx: Tx,
  assetIds: readonly string[],
  table: 'asset_obligation' | 'later_obligation',
  order: string,
): Promise<Map<string, ObligationRow[]>> {
  const rows = await tx.query<ObligationRow>(
    `SELECT asset_id, id, obligation FROM ${table} WHERE organization_id = $1 AND asset_id = ANY($2::uuid[])
      ORDER BY asset_id, ${order}`,
    [tx.organizationId, assetIds],
  );
  return grouped(rows, ({ asset_id }) => asset_id);
}

/** By asset and obligation. */
async function proofsOf(tx: Tx, assetIds: readonly string[]): Promise<Map<string, ObligationProof[]>> {
  const rows = await tx.query<ProofRow>(
    `SELECT asset_id, obligation_id, id, outcome, proved_by, sealed_text, sealed_url, evidence_asset_id,
            evidence_sha256, entry_id, created_at
       FROM obligation_proof WHERE organization_id = $1 AND asset_id = ANY($2::uuid[])
      ORDER BY asset_id, obligation_id, ordinal`,
    [tx.organizationId, assetIds],
  );
  const found = grouped(rows, ({ asset_id, obligation_id }) => `${asset_id} ${obligation_id}`);
  return new Map([...found].map(([key, proofs]) => [key, proofs.map(toProof)]));
}

function toProof(row: ProofRow): ObligationProof {
  return {
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
}

function grouped<Row>(rows: readonly Row[], keyOf: (row: Row) => string): Map<string, Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const key = keyOf(row);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [row]);
    else group.push(row);
  }
  return groups;
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
