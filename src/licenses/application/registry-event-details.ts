import { setImmediate } from 'node:timers/promises';
import { type Tx } from '../../database/organization-tx.js';
import { decisiveSha256 } from '../domain/decisive-facts.js';
import {
  type FactChange,
  factChanges,
  type ListingChange,
  listingChanges,
  opens,
} from '../domain/listing-changes.js';
import { type RegistryState } from '../domain/registry-state.js';
import { changesSince } from './effective-registry.js';
import { type RegistryEvent } from './registry-changes.js';

/** What an event did to the listings, and to the decisions that rested on them. */
export interface EventDetails {
  readonly changes: readonly {
    readonly listingId: string;
    readonly added: boolean;
    readonly facts: readonly FactChange[];
  }[];
  /** More listings than are named here. */
  readonly moreChanges: number;
  /** Null for what can open no decision. Decisions that it opened again; UUIDs of the first of them. */
  readonly reopened: { readonly clearances: number; readonly clearanceIds: readonly string[] } | null;
}

const MAX_NAMED = 200;
const LISTINGS_PER_TURN = 100;
const NOTHING: EventDetails = { changes: [], moreChanges: 0, reopened: null };

/**
 * Old and new values of facts, for events of a page. The registry keeps what was recorded and not what followed from it,
 * so its history is gone through once more, with the product listings of this release as its beginning.
 */
export async function detailsOf(
  tx: Tx,
  start: RegistryState,
  events: readonly RegistryEvent[],
): Promise<readonly EventDetails[]> {
  const recorded = events.filter((event) => 'version' in event);
  if (recorded.length === 0) return events.map(() => NOTHING);
  const shown = new Map<number, ListingChange[]>(recorded.map(({ version }) => [version, []]));
  const opening: ListingChange[] = [];
  const last = Math.max(...shown.keys());
  let seen = 0;
  for (const change of listingChanges(start, await changesSince(tx, 0, last, concerned(recorded)))) {
    if (opens(change)) opening.push(change);
    shown.get(change.version)?.push(change);
    if (++seen % LISTINGS_PER_TURN === 0) await setImmediate();
  }
  const reopened = await reopenedBy(tx, opening);
  return events.map((event) => {
    if (!('version' in event)) return NOTHING;
    const ofVersion = shown.get(event.version) ?? [];
    const mine =
      event.kind === 'listing'
        ? ofVersion.filter((change) => change.listingId === event.listingId)
        : ofVersion;
    return {
      changes: mine.slice(0, MAX_NAMED).map((change) => ({
        listingId: change.listingId,
        added: change.before === undefined,
        facts: factChanges(change),
      })),
      moreChanges: Math.max(0, mine.length - MAX_NAMED),
      reopened: reopened.get(event.version) ?? { clearances: 0, clearanceIds: [] },
    };
  });
}

/** A text may concern any listing; all other events name theirs. */
function concerned(events: readonly RegistryEvent[]): readonly string[] | undefined {
  const ids = new Set<string>();
  for (const event of events) {
    if (event.kind === 'license-text') return undefined;
    if ('listingId' in event && event.listingId !== null) ids.add(event.listingId);
  }
  return [...ids];
}

/** By version: the decisions that held until then. The very rule of affectedBy, asked of all versions at once. */
async function reopenedBy(
  tx: Tx,
  opening: readonly ListingChange[],
): Promise<ReadonlyMap<number, NonNullable<EventDetails['reopened']>>> {
  const rows = await tx.query<{ version: string; clearances: string; clearance_ids: string[] }>(
    `WITH changed AS (SELECT * FROM unnest($2::bigint[], $3::text[], $4::text[], $5::boolean[])
                        AS t(version, listing_id, decisive_before, text_changed)),
          opened AS (
       SELECT DISTINCT h.version, c.id AS clearance_id FROM changed h
         JOIN clearance_listing l ON l.organization_id = $1 AND l.listing_id = h.listing_id
              AND l.decisive_sha256 = h.decisive_before
         JOIN clearance c ON c.organization_id = $1 AND coalesce(c.basis_id, c.id) = l.clearance_id
              AND c.registry_version < h.version
        WHERE NOT EXISTS (SELECT 1 FROM changed e WHERE e.text_changed AND e.listing_id = h.listing_id
                 AND e.version < h.version AND e.version > c.registry_version)
          AND NOT EXISTS (SELECT 1 FROM clearance n WHERE n.organization_id = $1 AND n.renews = coalesce(c.renews, c.id)
                 AND n.registry_version < h.version
                 AND (n.registry_version, n.created_at) > (c.registry_version, c.created_at)))
     SELECT version, count(*) AS clearances, (array_agg(clearance_id ORDER BY clearance_id))[1:$6::int] AS clearance_ids
       FROM opened GROUP BY version`,
    [
      tx.organizationId,
      opening.map(({ version }) => version),
      opening.map(({ listingId }) => listingId),
      opening.map(({ before }) => (before === undefined ? '' : decisiveSha256(before))),
      opening.map(({ textChanged }) => textChanged),
      MAX_NAMED,
    ],
  );
  return new Map(
    rows.map((row) => [
      Number(row.version),
      { clearances: Number(row.clearances), clearanceIds: row.clearance_ids },
    ]),
  );
}
