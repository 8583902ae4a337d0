import { type Tx } from '../../database/organization-tx.js';
import { PRODUCT_VERSION } from '../../shared/product.js';
import { type Evidence } from '../domain/curation.js';
import { type ListingIndex } from '../domain/listing-index.js';
import { seedState } from '../domain/registry-state.js';
import { detailsOf, type EventDetails } from './registry-event-details.js';

/** One change of what decisions rest on, since a report. Ids are UUIDs. */
export type RegistryEvent = { readonly at: Date } & (
  | {
      readonly kind: 'listing';
      readonly id: string;
      readonly listingId: string;
      readonly sha256: string;
      /** Null when it is new. */
      readonly previousSha256: string | null;
      readonly source: string;
      readonly version: number;
    }
  | {
      readonly kind: 'curation';
      readonly id: string;
      readonly listingId: string;
      readonly fact: string;
      /** The text or the words behind it. */
      readonly evidence: Evidence;
      readonly version: number;
    }
  | {
      readonly kind: 'license-text';
      readonly id: string;
      readonly licenseKey: string;
      readonly sha256: string;
      readonly change: string;
      readonly listingIds: readonly string[];
      /** The last text that was read under this key before; null when there was none. */
      readonly previousSha256: string | null;
      readonly sourceUrl: string | null;
      readonly readOn: string;
      readonly inForceSince: string | null;
      readonly version: number;
    }
  | {
      readonly kind: 'waiver-approved' | 'waiver-ended';
      readonly id: string;
      readonly clearanceId: string | null;
      readonly listingId: string | null;
      readonly ruleId: string | null;
      readonly expiresAt: Date;
    }
  | ({ readonly kind: 'product-listings' } & SeedDifference)
);

/** What another release of the product brought. */
export interface SeedDifference {
  readonly productVersion: string;
  readonly added: readonly string[];
  readonly removed: readonly string[];
  /** Of which something has changed. */
  readonly changed: readonly string[];
  /** Of these, the ones with another license or text. */
  readonly licenseChanged: readonly string[];
}

interface SeedRow {
  seed_sha256: string;
  product_version: string;
  listings: SeedListing[];
  seen_at: Date;
}
interface SeedListing {
  id: string;
  sha256: string;
  licenseKey: string;
  licenseTextSha256: string | null;
}

/** A change with its place in the order: `<time>|<kind>|<id>`, for pages. */
export interface OrderedEvent {
  readonly key: string;
  readonly event: RegistryEvent;
}

export interface DescribedEvent extends OrderedEvent {
  readonly details: EventDetails | undefined;
}

/** What changed in the registry of an organization between two moments, oldest first. */
export class RegistryHistory {
  constructor(private readonly seed: ListingIndex) {}

  async between(tx: Tx, since: Date, until: Date): Promise<OrderedEvent[]> {
    const events = [
      ...(await listings(tx, since, until)),
      ...(await curations(tx, since, until)),
      ...(await texts(tx, since, until)),
      ...(await waivers(tx, since, until)),
      ...(await this.seeds(tx, since, until)),
    ];
    return events
      .map((event) => ({ key: keyOf(event), event }))
      .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  }

  /** What each of these events did, for a page of them. */
  async describe(tx: Tx, events: readonly OrderedEvent[]): Promise<DescribedEvent[]> {
    const details = await detailsOf(
      tx,
      seedState(this.seed),
      events.map(({ event }) => event),
    );
    return events.map((ordered, at) => ({ ...ordered, details: details[at] }));
  }

  /** The listings of this release count as seen now, even when nothing was decided with them yet. */
  private async seeds(tx: Tx, since: Date, until: Date): Promise<RegistryEvent[]> {
    const rows = await tx.query<SeedRow>(
      `SELECT seed_sha256, product_version, listings, seen_at FROM seed_seen
        WHERE organization_id = $1 AND seen_at <= $2 ORDER BY seen_at, seed_sha256`,
      [tx.organizationId, until],
    );
    const seen = rows.map((row) => ({ ...row, at: row.seen_at }));
    const [latest] = seen.slice(-1);
    if (latest !== undefined && latest.seed_sha256 !== this.seed.sha256) seen.push(this.now(until));
    return seen.flatMap((row, i): RegistryEvent[] => {
      const before = seen[i - 1];
      if (before === undefined || row.at < since) return [];
      const difference = differenceOf(before.listings, row.listings);
      return [{ kind: 'product-listings', at: row.at, productVersion: row.product_version, ...difference }];
    });
  }

  private now(at: Date): SeedRow & { at: Date } {
    const listings = this.seed.all.map(({ listing, sha256 }) => ({
      id: listing.id,
      sha256,
      licenseKey: listing.license.spdxOrRef,
      licenseTextSha256: listing.license.textSha256,
    }));
    return { seed_sha256: this.seed.sha256, product_version: PRODUCT_VERSION, listings, seen_at: at, at };
  }
}

function keyOf(event: RegistryEvent): string {
  const id = event.kind === 'product-listings' ? event.productVersion : event.id;
  return `${event.at.toISOString()}|${event.kind}|${id}`;
}

function differenceOf(
  before: readonly SeedListing[],
  after: readonly SeedListing[],
): Omit<SeedDifference, 'productVersion'> {
  const old = new Map(before.map((listing) => [listing.id, listing]));
  const kept = after.filter(({ id }) => old.has(id));
  const ids = new Set(after.map(({ id }) => id));
  const changed = kept.filter(({ id, sha256 }) => old.get(id)?.sha256 !== sha256);
  const license = changed.filter(({ id, licenseKey, licenseTextSha256 }) => {
    const earlier = old.get(id);
    return earlier?.licenseKey !== licenseKey || earlier.licenseTextSha256 !== licenseTextSha256;
  });
  const idsOf = (listings: readonly SeedListing[]) => listings.map(({ id }) => id).sort();
  return {
    added: idsOf(after.filter(({ id }) => !old.has(id))),
    removed: idsOf(before.filter(({ id }) => !ids.has(id))),
    changed: idsOf(changed),
    licenseChanged: idsOf(license),
  };
}

async function listings(tx: Tx, since: Date, until: Date): Promise<RegistryEvent[]> {
  const rows = await tx.query<Omit<Extract<RegistryEvent, { kind: 'listing' }>, 'kind'>>(
    `SELECT n.id, n.created_at AS at, n.listing_id AS "listingId", n.sha256, n.source, n.version::int,
            (SELECT o.sha256 FROM listing_version o WHERE o.organization_id = n.organization_id
                AND o.listing_id = n.listing_id AND o.version < n.version ORDER BY o.version DESC LIMIT 1) AS "previousSha256"
       FROM listing_version n WHERE n.organization_id = $1 AND n.created_at >= $2 AND n.created_at <= $3`,
    [tx.organizationId, since, until],
  );
  return rows.map((row) => ({ ...row, kind: 'listing' }));
}

async function curations(tx: Tx, since: Date, until: Date): Promise<RegistryEvent[]> {
  const rows = await tx.query<Omit<Extract<RegistryEvent, { kind: 'curation' }>, 'kind'>>(
    `SELECT id, created_at AS at, listing_id AS "listingId", fact, evidence, version::int FROM curation
      WHERE organization_id = $1 AND created_at >= $2 AND created_at <= $3`,
    [tx.organizationId, since, until],
  );
  return rows.map((row) => ({ ...row, kind: 'curation' }));
}

async function texts(tx: Tx, since: Date, until: Date): Promise<RegistryEvent[]> {
  const rows = await tx.query<Omit<Extract<RegistryEvent, { kind: 'license-text' }>, 'kind'>>(
    `SELECT id, created_at AS at, license_key AS "licenseKey", sha256, change, affected_listing_ids AS "listingIds",
            source_url AS "sourceUrl", read_on::text AS "readOn", in_force_since::text AS "inForceSince", version::int,
            (SELECT o.sha256 FROM license_text_reading o WHERE o.organization_id = r.organization_id
                AND o.license_key = r.license_key AND o.version < r.version ORDER BY o.version DESC LIMIT 1) AS "previousSha256"
       FROM license_text_reading r WHERE organization_id = $1 AND created_at >= $2 AND created_at <= $3`,
    [tx.organizationId, since, until],
  );
  return rows.map((row) => ({ ...row, kind: 'license-text' }));
}

/** A waiver ends on its day, or when a text on which it rests was found to have changed. */
async function waivers(tx: Tx, since: Date, until: Date): Promise<RegistryEvent[]> {
  const rows = await tx.query<WaiverRow>(
    `SELECT w.id, w.clearance_id, w.listing_id, w.rule_id, w.expires_at, w.created_at,
            least(w.expires_at, (
              SELECT min(r.created_at) FROM license_text_reading r
               WHERE r.organization_id = w.organization_id AND r.change = 'changed' AND r.version > w.registry_version
                 AND r.affected_listing_ids && ARRAY(SELECT t ->> 'listingId' FROM jsonb_array_elements(w.license_texts) t))) AS ended_at
       FROM waiver w WHERE w.organization_id = $1 AND w.created_at <= $3 AND (w.created_at >= $2 OR w.expires_at >= $2)`,
    [tx.organizationId, since, until],
  );
  const within = (at: Date) => at >= since && at <= until;
  return rows.flatMap((row): RegistryEvent[] => {
    const about = {
      id: row.id,
      clearanceId: row.clearance_id,
      listingId: row.listing_id,
      ruleId: row.rule_id,
      expiresAt: row.expires_at,
    };
    return [
      ...(within(row.created_at) ? [{ ...about, kind: 'waiver-approved' as const, at: row.created_at }] : []),
      ...(within(row.ended_at) ? [{ ...about, kind: 'waiver-ended' as const, at: row.ended_at }] : []),
    ];
  });
}

interface WaiverRow {
  id: string;
  clearance_id: string | null;
  listing_id: string | null;
  rule_id: string | null;
  expires_at: Date;
  created_at: Date;
  ended_at: Date;
}
