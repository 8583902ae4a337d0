import { type Tx } from '../../database/organization-tx.js';
import { type DecisionInput } from '../../licenses/domain/decision-input.js';
import { type Lineage } from '../../licenses/domain/lineage.js';
import { ColophonError } from '../../shared/errors.js';

export interface ClearedScope {
  readonly of:
    | { readonly kind: 'use-case'; readonly id: string }
    /** All versions when none is named. */
    | { readonly kind: 'pipeline'; readonly name: string; readonly version: number | undefined };
  readonly since: Date | undefined;
  readonly until: Date | undefined;
}

export interface ClearedLineages {
  /** Different ones only, in the order in which they were last decided. */
  readonly lineages: readonly (Pick<DecisionInput, 'listings' | 'registrySha256'> & {
    readonly lineage: Lineage;
  })[];
  readonly decisions: number;
  /** The last ones; UUIDs. */
  readonly clearanceIds: readonly string[];
}

/** Thousands of runs of a few pipelines have a handful of different lineages. */
const MAX_LINEAGES = 1_000;
const MAX_NAMED = 200;

interface Row {
  components: Lineage['components'];
  listings: DecisionInput['listings'];
  registry_sha256: string;
  decisions: string;
  last_id: string;
}

/**
 * What live runs were cleared for and used: for a test key the sandbox plays the models. A decision `deny` clears nothing, and one that sends to review counts once a run
 * under it has begun: then somebody had accepted it.
 * @throws ColophonError `invalid_request` for a time with too many different lineages
 */
export async function clearedLineages(tx: Tx, { of, since, until }: ClearedScope): Promise<ClearedLineages> {
  const rows = await tx.query<Row>(
    `SELECT d.input -> 'lineage' -> 'components' AS components, d.input -> 'listings' AS listings,
            min(d.input ->> 'registrySha256') AS registry_sha256, count(*) AS decisions, max(d.id::text) AS last_id
       FROM (
         SELECT c.id, convert_from(c.input, 'UTF8')::jsonb AS input FROM clearance c
          WHERE c.organization_id = $1 AND c.decision <> 'deny'
            AND ($2::timestamptz IS NULL OR c.created_at >= $2) AND ($3::timestamptz IS NULL OR c.created_at <= $3)
            AND EXISTS (
              SELECT 1 FROM run r WHERE r.organization_id = $1 AND r.clearance_id = coalesce(c.renews, c.id)
                 AND r.mode = 'live'
                 AND ($4::uuid IS NULL OR r.use_case_id = $4)
                 AND ($5::text IS NULL OR r.pipeline_name = $5) AND ($6::int IS NULL OR r.pipeline_version = $6)
                 AND (c.decision = 'allow' OR EXISTS (
                   SELECT 1 FROM step_run s WHERE s.organization_id = $1 AND s.run_id = r.id
                      AND s.state NOT IN ('RESERVED', 'SKIPPED', 'CANCELED'))))) d
      GROUP BY 1, 2 ORDER BY max(d.id::text) LIMIT $7`,
    [
      tx.organizationId,
      since ?? null,
      until ?? null,
      of.kind === 'use-case' ? of.id : null,
      of.kind === 'pipeline' ? of.name : null,
      of.kind === 'pipeline' ? (of.version ?? null) : null,
      MAX_LINEAGES + 1,
    ],
  );
  if (rows.length > MAX_LINEAGES)
    throw new ColophonError(
      'invalid_request',
      `More than ${MAX_LINEAGES} different lineages were cleared in this time; ask for a shorter one.`,
    );
  return {
    lineages: rows.map(({ components, listings, registry_sha256: registrySha256 }) => ({
      lineage: { components, inputs: [] },
      listings,
      registrySha256,
    })),
    decisions: rows.reduce((sum, { decisions }) => sum + Number(decisions), 0),
    clearanceIds: rows.slice(-MAX_NAMED).map(({ last_id: id }) => id),
  };
}
