import { type Tx } from '../../database/organization-tx.js';
import { decisiveSha256 } from '../domain/decisive-facts.js';
import { type ListingId } from '../domain/listing.js';
import { type Basis, reopened, type Reopened } from '../domain/reopened.js';
import { type BasisRow, toBasis } from './clearance-standing.js';
import { type EffectiveRegistry } from './effective-registry.js';
import { type Work, type WorkBehindClearances } from './work-behind-clearances.js';

/** A decision that does not hold any more, with what rests on it. UUIDs. */
export interface ReopenedClearance extends Work {
  /** The last decision. */
  readonly id: string;
  /** The first one, to which runs point. */
  readonly rootId: string;
  readonly decision: string;
  readonly decidedAt: Date;
  readonly changes: readonly Reopened[];
  /** Waivers that have ended with it although their day has not come. */
  readonly waiverIds: readonly string[];
}

export interface ReopenedQuery {
  /** Id of the last clearance of the page before. */
  readonly after: string | undefined;
  readonly limit: number;
  readonly licenseKey: string | undefined;
  readonly listingId: ListingId | undefined;
}

interface Row extends BasisRow {
  id: string;
  root_id: string;
  decision: string;
  registry_version: string;
  created_at: Date;
}

/** What the last changes of license texts and facts have opened again and nobody has decided since. */
export class ReopenedClearances {
  constructor(
    private readonly registry: EffectiveRegistry,
    private readonly work: WorkBehindClearances,
  ) {}

  /** By id, at most `limit + 1`: the extra one only tells that there is more. */
  async list(tx: Tx, query: ReopenedQuery): Promise<ReopenedClearance[]> {
    const registry = await this.registry.now(tx);
    const current = registry.index.all;
    const changedTexts = [...registry.readings.values()].flat().filter(({ change }) => change === 'changed');
    const rows = await tx.query<Row>(
      `WITH current AS (SELECT * FROM unnest($2::text[], $3::text[]) AS t(listing_id, decisive_sha256)),
            changed AS (SELECT * FROM unnest($4::text[], $5::bigint[]) AS t(listing_id, version)),
            open AS (
         SELECT DISTINCT c.id FROM clearance_listing l
           JOIN clearance c ON c.organization_id = l.organization_id AND c.id = l.clearance_id
           LEFT JOIN current n ON n.listing_id = l.listing_id
          WHERE l.organization_id = $1 AND ($6::uuid IS NULL OR c.id > $6)
            AND ($7::text IS NULL OR l.license_key = $7) AND ($8::text IS NULL OR l.listing_id = $8)
            AND (n.decisive_sha256 IS DISTINCT FROM l.decisive_sha256
                 OR EXISTS (SELECT 1 FROM changed h WHERE h.listing_id = l.listing_id AND h.version > c.registry_version))
            AND NOT EXISTS (SELECT 1 FROM clearance n WHERE n.organization_id = $1 AND n.renews = coalesce(c.renews, c.id)
                   AND (n.registry_version, n.created_at) > (c.registry_version, c.created_at))
          ORDER BY c.id LIMIT $9)
       SELECT c.id, coalesce(c.renews, c.id) AS root_id, c.decision, c.registry_version, c.created_at,
              l.listing_id, l.decisive_sha256, l.license_key, l.license_text_sha256
         FROM open o JOIN clearance c ON c.organization_id = $1 AND c.id = o.id
         JOIN clearance_listing l ON l.organization_id = $1 AND l.clearance_id = c.id ORDER BY c.id, l.listing_id`,
      [
        tx.organizationId,
        current.map(({ listing }) => listing.id),
        current.map(decisiveSha256),
        changedTexts.flatMap(({ affectedListingIds }) => affectedListingIds),
        changedTexts.flatMap(({ affectedListingIds, version }) => affectedListingIds.map(() => version)),
        query.after ?? null,
        query.licenseKey ?? null,
        query.listingId ?? null,
        query.limit + 1,
      ],
    );
    const byId = new Map<string, { row: Row; basis: Basis[] }>();
    for (const row of rows) {
      const known = byId.get(row.id) ?? { row, basis: [] };
      known.basis.push(toBasis(row));
      byId.set(row.id, known);
    }
    const roots = [...byId.values()].map(({ row }) => row.root_id);
    const work = await this.work.find(tx, roots);
    const waivers = await waiversOf(tx, [...byId.keys()]);
    return [...byId.values()].map(({ row, basis }) => ({
      id: row.id,
      rootId: row.root_id,
      decision: row.decision,
      decidedAt: row.created_at,
      changes: reopened(basis, Number(row.registry_version), registry),
      waiverIds: waivers.get(row.id) ?? [],
      ...(work.get(row.root_id) ?? { runIds: [], assetIds: [] }),
    }));
  }
}

async function waiversOf(tx: Tx, decisionIds: readonly string[]): Promise<ReadonlyMap<string, string[]>> {
  const rows = await tx.query<{ decision_id: string; ids: string[] }>(
    `SELECT coalesce(decided_clearance_id, clearance_id) AS decision_id, array_agg(id ORDER BY id) AS ids FROM waiver
      WHERE organization_id = $1 AND coalesce(decided_clearance_id, clearance_id) = ANY($2::uuid[]) GROUP BY 1`,
    [tx.organizationId, decisionIds],
  );
  return new Map(rows.map((row) => [row.decision_id, row.ids] as const));
}
