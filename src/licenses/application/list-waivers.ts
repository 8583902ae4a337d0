import { type Tx } from '../../database/organization-tx.js';
import { type Clock } from '../../shared/clock.js';
import { type Basis } from '../domain/reopened.js';
import { type RegistryState } from '../domain/registry-state.js';
import { waiverStanding, type WaiverStanding, type WaiverState } from '../domain/waiver-state.js';
import { type RestsOn } from './approve-waiver.js';
import { type BasisRow, toBasis } from './clearance-standing.js';
import { type EffectiveRegistry } from './effective-registry.js';

/** A waiver as it stands now. UUIDs. Why it was approved, in a person's words, is sealed in the log. */
export interface ListedWaiver extends WaiverStanding {
  readonly id: string;
  /** The decision whose findings were accepted; null for a finding. */
  readonly clearanceId: string | null;
  readonly finding: { readonly listingId: string; readonly ruleId: string } | null;
  readonly projectId: string | null;
  readonly useCaseId: string | null;
  readonly reason: string;
  readonly requestedBy: string;
  readonly approvedBy: string;
  readonly restsOn: readonly RestsOn[];
  readonly expiresAt: Date;
  readonly createdAt: Date;
}

export interface WaiverQuery {
  /** Newest first: id of the last waiver of the page before. */
  readonly before: string | undefined;
  readonly limit: number;
  readonly state: WaiverState | undefined;
}

interface WaiverRow {
  id: string;
  decided_clearance_id: string | null;
  listing_id: string | null;
  rule_id: string | null;
  project_id: string | null;
  use_case_id: string | null;
  reason: string;
  requested_by: string;
  approved_by: string;
  license_texts: RestsOn[];
  decisive_sha256: string | null;
  registry_version: string;
  expires_at: Date;
  created_at: Date;
  decided_at_version: string | null;
  decided_again_at: Date | null;
}

/** Rows that are looked at in one go: which state a waiver is in follows from the registry, which the database cannot ask. */
const ROWS_AT_ONCE = 200;

/** Each with when the decision that it accepts was made again. $1 is the organization. */
const LISTED = `
  SELECT w.id, coalesce(w.decided_clearance_id, w.clearance_id) AS decided_clearance_id, w.listing_id, w.rule_id,
          w.project_id, w.use_case_id, w.reason, w.requested_by, w.approved_by, w.license_texts, w.decisive_sha256,
          w.registry_version, w.expires_at, w.created_at, c.registry_version AS decided_at_version,
          (SELECT min(n.created_at) FROM clearance n
            WHERE n.organization_id = w.organization_id AND n.renews = coalesce(c.renews, c.id)
              AND (n.registry_version, n.created_at) > (c.registry_version, c.created_at)) AS decided_again_at
     FROM waiver w LEFT JOIN clearance c ON c.organization_id = w.organization_id
          AND c.id = coalesce(w.decided_clearance_id, w.clearance_id)`;

/** Waivers with their state at this moment, newest first. */
export class ListWaivers {
  constructor(
    private readonly registry: EffectiveRegistry,
    private readonly clock: Clock,
  ) {}

  async list(tx: Tx, { before, limit, state }: WaiverQuery): Promise<ListedWaiver[]> {
    const registry = await this.registry.now(tx);
    const found: ListedWaiver[] = [];
    for (let cursor = before; found.length < limit;) {
      const rows = await this.rowsBefore(tx, cursor, state);
      const bases = await basesOf(tx, rows);
      const listed = rows.map((row) => this.toListed(row, bases, registry));
      found.push(...listed.filter((waiver) => state === undefined || waiver.state === state));
      if (rows.length < ROWS_AT_ONCE) break;
      cursor = rows.at(-1)?.id;
    }
    return found.slice(0, limit);
  }

  /** @param ids UUIDs; oldest first */
  async ofIds(tx: Tx, ids: readonly string[]): Promise<ListedWaiver[]> {
    if (ids.length === 0) return [];
    const registry = await this.registry.now(tx);
    const rows = await tx.query<WaiverRow>(
      `${LISTED} WHERE w.organization_id = $1 AND w.id = ANY($2::uuid[]) ORDER BY w.id`,
      [tx.organizationId, ids],
    );
    const bases = await basesOf(tx, rows);
    return rows.map((row) => this.toListed(row, bases, registry));
  }

  private rowsBefore(
    tx: Tx,
    before: string | undefined,
    state: WaiverState | undefined,
  ): Promise<WaiverRow[]> {
    return tx.query<WaiverRow>(
      `${LISTED}
        WHERE w.organization_id = $1 AND ($2::uuid IS NULL OR w.id < $2)
          AND ($3::text IS NULL OR ($3 = 'in-force' AND w.expires_at > $4) OR ($3 = 'ended' AND w.expires_at <= $4)
               OR $3 = 'dead')
        ORDER BY w.id DESC LIMIT $5`,
      [tx.organizationId, before ?? null, state ?? null, this.clock.now(), ROWS_AT_ONCE],
    );
  }

  private toListed(
    row: WaiverRow,
    bases: ReadonlyMap<string, readonly Basis[]>,
    registry: RegistryState,
  ): ListedWaiver {
    const { listing_id: listingId, rule_id: ruleId, expires_at: expiresAt } = row;
    const isFinding = listingId !== null && ruleId !== null;
    const rests = {
      expiresAt,
      registryVersion: Number(row.decided_at_version ?? row.registry_version),
      basis: isFinding ? basisOfFinding(row) : (bases.get(row.decided_clearance_id ?? '') ?? []),
      decidedAgainAt: row.decided_again_at,
    };
    return {
      id: row.id,
      clearanceId: row.decided_clearance_id,
      finding: isFinding ? { listingId, ruleId } : null,
      projectId: row.project_id,
      useCaseId: row.use_case_id,
      reason: row.reason,
      requestedBy: row.requested_by,
      approvedBy: row.approved_by,
      restsOn: row.license_texts,
      expiresAt,
      createdAt: row.created_at,
      ...waiverStanding(rests, registry, this.clock.now()),
    };
  }
}

function basisOfFinding({ listing_id, decisive_sha256, license_texts }: WaiverRow): Basis[] {
  const [text] = license_texts;
  if (listing_id === null || decisive_sha256 === null || text === undefined) return [];
  const { licenseKey, textSha256: licenseTextSha256 } = text;
  return [{ listingId: listing_id, decisiveSha256: decisive_sha256, licenseKey, licenseTextSha256 }];
}

async function basesOf(
  tx: Tx,
  waivers: readonly WaiverRow[],
): Promise<ReadonlyMap<string, readonly Basis[]>> {
  const rows = await tx.query<BasisRow & { clearance_id: string }>(
    `SELECT c.id AS clearance_id, l.listing_id, l.decisive_sha256, l.license_key, l.license_text_sha256 FROM clearance c
       JOIN clearance_listing l ON l.organization_id = c.organization_id AND l.clearance_id = coalesce(c.basis_id, c.id)
      WHERE c.organization_id = $1 AND c.id = ANY($2::uuid[]) ORDER BY c.id, l.listing_id`,
    [tx.organizationId, waivers.flatMap(({ decided_clearance_id: id }) => id ?? [])],
  );
  const bases = new Map<string, Basis[]>();
  for (const row of rows) bases.set(row.clearance_id, [...(bases.get(row.clearance_id) ?? []), toBasis(row)]);
  return bases;
}
