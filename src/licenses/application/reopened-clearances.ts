import { setImmediate } from 'node:timers/promises';
import { type Tx } from '../../database/organization-tx.js';
import { decisiveSha256 } from '../domain/decisive-facts.js';
import { type ListingId } from '../domain/listing.js';
import { type RegistryState } from '../domain/registry-state.js';
import { type Basis, reopened, type Reopened } from '../domain/reopened.js';
import { type AskPolicies } from './ask-policies.js';
import { type BasisRow, toBasis } from './clearance-standing.js';
import { type EffectiveRegistry } from './effective-registry.js';
import { readLastDecision } from './read-clearance.js';
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

interface Row extends Omit<BasisRow, 'listing_id'> {
  listing_id: string | null;
  is_of_policies: boolean;
  id: string;
  root_id: string;
  decision: string;
  registry_version: string;
  created_at: Date;
}

export interface ReopenedPage {
  readonly items: readonly ReopenedClearance[];
  /** Id of the last decision that was looked at, when there may be more. */
  readonly next: string | undefined;
}

/** Candidates that are fetched at once. */
const ROWS_AT_ONCE = 200;
/** Decisions of which the policies of today are asked for one page; then the page ends, however short it is. */
const MAX_ASKED = 500;
const ASKED_PER_TURN = 20;

/** What changes of license texts, facts and policies have opened again and nobody has decided since. */
export class ReopenedClearances {
  constructor(
    private readonly registry: EffectiveRegistry,
    private readonly policies: AskPolicies,
    private readonly work: WorkBehindClearances,
  ) {}

  /** By id. A page can be shorter than asked for, or empty, and still have a next one. */
  async list(tx: Tx, query: ReopenedQuery): Promise<ReopenedPage> {
    const registry = await this.registry.within(tx);
    const found: (Candidate & { changes: readonly Reopened[] })[] = [];
    let [cursor, asked] = [query.after, 0];
    for (let isLast = false; !isLast;) {
      const candidates = await candidatesAfter(tx, registry, query, cursor);
      isLast = candidates.length < ROWS_AT_ONCE;
      for (const [at, candidate] of candidates.entries()) {
        const changes = await this.changesOf(tx, candidate, registry);
        if (changes.length > 0) found.push({ ...candidate, changes });
        cursor = candidate.row.id;
        if (candidate.isOfPolicies && ++asked % ASKED_PER_TURN === 0) await setImmediate();
        const hasMore = !isLast || at + 1 < candidates.length;
        if (found.length === query.limit || asked === MAX_ASKED)
          return { items: await this.withWork(tx, found), next: hasMore ? cursor : undefined };
      }
    }
    return { items: await this.withWork(tx, found), next: undefined };
  }

  /** As the standing of each of them says it. */
  private async changesOf(tx: Tx, { row, basis, isOfPolicies }: Candidate, registry: RegistryState) {
    const changes = reopened(basis, Number(row.registry_version), registry);
    if (changes.length > 0 || !isOfPolicies) return changes;
    const last = await readLastDecision(tx, row.root_id);
    const stricter = await this.policies.stricterToday(tx, last, registry.index);
    return stricter.map(({ ruleId }) => ({ because: 'policy', ruleId }) as const);
  }

  private async withWork(
    tx: Tx,
    found: readonly (Candidate & { changes: readonly Reopened[] })[],
  ): Promise<ReopenedClearance[]> {
    const work = await this.work.find(
      tx,
      found.map(({ row }) => row.root_id),
    );
    const waivers = await waiversOf(
      tx,
      found.map(({ row }) => row.id),
    );
    return found.map(({ row, changes }) => ({
      id: row.id,
      rootId: row.root_id,
      decision: row.decision,
      decidedAt: row.created_at,
      changes,
      waiverIds: waivers.get(row.id) ?? [],
      ...(work.get(row.root_id) ?? { runIds: [], assetIds: [] }),
    }));
  }
}

interface Candidate {
  readonly row: Row;
  readonly basis: readonly Basis[];
  /** It was not denied, and policies that apply to it may have changed since. */
  readonly isOfPolicies: boolean;
}

/**
 * Last decisions whose listings are not as they were, and those that are older than the last change of policies that
 * apply to them; whether that opens them is asked afterwards. Ten minutes, because several processes have clocks.
 */
async function candidatesAfter(
  tx: Tx,
  registry: RegistryState,
  query: ReopenedQuery,
  after: string | undefined,
): Promise<Candidate[]> {
  const current = registry.index.all;
  const changedTexts = [...registry.readings.values()].flat().filter(({ change }) => change === 'changed');
  const rows = await tx.query<Row>(
    `WITH current AS (SELECT * FROM unnest($2::text[], $3::text[]) AS t(listing_id, decisive_sha256)),
          changed AS (SELECT * FROM unnest($4::text[], $5::bigint[]) AS t(listing_id, version)),
          policies AS (SELECT scope_id, max(created_at) AS changed_at FROM policy_version
                        WHERE organization_id = $1 AND kind = 'cedar' GROUP BY scope_id),
          last AS (
       SELECT c.id, c.decision <> 'deny' AND EXISTS (SELECT 1 FROM policies p
                WHERE p.scope_id = ANY (ARRAY[$1::uuid, c.project_id, c.use_case_id] || c.origin_project_ids)
                  AND p.changed_at > c.created_at - interval '10 minutes') AS is_of_policies
         FROM clearance c
        WHERE c.organization_id = $1 AND ($6::uuid IS NULL OR c.id > $6)
          AND NOT EXISTS (SELECT 1 FROM clearance n WHERE n.organization_id = $1 AND n.renews = coalesce(c.renews, c.id)
                 AND (n.registry_version, n.created_at) > (c.registry_version, c.created_at))),
          open AS (
       SELECT k.id, k.is_of_policies FROM last k JOIN clearance c ON c.organization_id = $1 AND c.id = k.id
        WHERE (($7::text IS NULL AND $8::text IS NULL) OR EXISTS (SELECT 1 FROM clearance_listing l
                 WHERE l.organization_id = $1 AND l.clearance_id = coalesce(c.basis_id, c.id)
                   AND ($7::text IS NULL OR l.license_key = $7) AND ($8::text IS NULL OR l.listing_id = $8)))
          AND (k.is_of_policies OR EXISTS (SELECT 1 FROM clearance_listing l
                 LEFT JOIN current n ON n.listing_id = l.listing_id
                WHERE l.organization_id = $1 AND l.clearance_id = coalesce(c.basis_id, c.id)
                  AND ($7::text IS NULL OR l.license_key = $7) AND ($8::text IS NULL OR l.listing_id = $8)
                  AND (n.decisive_sha256 IS DISTINCT FROM l.decisive_sha256
                       OR EXISTS (SELECT 1 FROM changed h
                                   WHERE h.listing_id = l.listing_id AND h.version > c.registry_version))))
        ORDER BY k.id LIMIT $9)
     SELECT c.id, coalesce(c.renews, c.id) AS root_id, c.decision, c.registry_version, c.created_at, o.is_of_policies,
            l.listing_id, l.decisive_sha256, l.license_key, l.license_text_sha256
       FROM open o JOIN clearance c ON c.organization_id = $1 AND c.id = o.id
       LEFT JOIN clearance_listing l ON l.organization_id = $1 AND l.clearance_id = coalesce(c.basis_id, c.id)
      ORDER BY c.id, l.listing_id`,
    [
      tx.organizationId,
      current.map(({ listing }) => listing.id),
      current.map(decisiveSha256),
      changedTexts.flatMap(({ affectedListingIds }) => affectedListingIds),
      changedTexts.flatMap(({ affectedListingIds, version }) => affectedListingIds.map(() => version)),
      after ?? null,
      query.licenseKey ?? null,
      query.listingId ?? null,
      ROWS_AT_ONCE,
    ],
  );
  const byId = new Map<string, { row: Row; basis: Basis[]; isOfPolicies: boolean }>();
  for (const row of rows) {
    const known = byId.get(row.id) ?? { row, basis: [], isOfPolicies: row.is_of_policies };
    // Without a listing that the registry knows there is no row of one.
    if (row.listing_id !== null) known.basis.push(toBasis({ ...row, listing_id: row.listing_id }));
    byId.set(row.id, known);
  }
  return [...byId.values()];
}

async function waiversOf(tx: Tx, decisionIds: readonly string[]): Promise<ReadonlyMap<string, string[]>> {
  const rows = await tx.query<{ decision_id: string; ids: string[] }>(
    `SELECT coalesce(decided_clearance_id, clearance_id) AS decision_id, array_agg(id ORDER BY id) AS ids FROM waiver
      WHERE organization_id = $1 AND coalesce(decided_clearance_id, clearance_id) = ANY($2::uuid[]) GROUP BY 1`,
    [tx.organizationId, decisionIds],
  );
  return new Map(rows.map((row) => [row.decision_id, row.ids] as const));
}
