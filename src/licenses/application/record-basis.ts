import { type Tx } from '../../database/organization-tx.js';
import { canonicalJson, type JsonValue } from '../../shared/canonical-json.js';
import { type Clock } from '../../shared/clock.js';
import { PRODUCT_VERSION } from '../../shared/product.js';
import { decisiveSha256 } from '../domain/decisive-facts.js';
import { type DecisionInput } from '../domain/decision-input.js';
import { type IndexedListing, type ListingIndex } from '../domain/listing-index.js';
import { type RegistryState } from '../domain/registry-state.js';

/** The listings of a decision that the registry knows. */
export function usedBy(listings: DecisionInput['listings'], { index }: RegistryState): IndexedListing[] {
  return listings.flatMap(([id, sha256]) => (sha256 === null ? [] : (index.get(id) ?? [])));
}

/** `listing_id, sha256, decisive_sha256, license_key, license_text_sha256` of clearance_listing, as arrays. */
export function basisColumns(used: readonly IndexedListing[]): unknown[] {
  return [
    used.map(({ listing }) => listing.id),
    used.map(({ sha256 }) => sha256),
    used.map(decisiveSha256),
    used.map(({ listing }) => listing.license.spdxOrRef),
    used.map(({ listing }) => listing.license.textSha256),
  ];
}

/** Hashes of which a process knows that they are archived: about 100 bytes each. */
const MAX_KNOWN = 50_000;

/**
 * Keeps what a decision rests on: which listings with which license texts, and the listings themselves under their
 * hashes, so that the decision can be found when one of them changes and made again years later.
 */
export class RecordBasis {
  /** `<organization> <sha256>` of rows that are committed; they are never removed. */
  private readonly known = new Set<string>();

  constructor(
    private readonly seed: ListingIndex,
    private readonly seedReadOn: string,
    private readonly clock: Clock,
  ) {}

  /** After the decision is inserted with {@link basisColumns}. */
  async record(tx: Tx, used: readonly IndexedListing[]): Promise<void> {
    await this.archive(tx, used);
    await this.recordSeed(tx);
  }

  /** Every version of a listing that is in use or was recorded, under its hash. */
  async archive(tx: Tx, entries: readonly IndexedListing[]): Promise<void> {
    const missing = entries.filter(({ sha256 }) => !this.isKnown(tx, sha256));
    if (missing.length === 0) return;
    await tx.query(
      `INSERT INTO listing_archive (organization_id, sha256, listing_id, listing)
       SELECT $1, * FROM unnest($2::text[], $3::text[], $4::bytea[]) ON CONFLICT DO NOTHING`,
      [
        tx.organizationId,
        missing.map(({ sha256 }) => sha256),
        missing.map(({ listing }) => listing.id),
        missing.map(({ listing }) => canonicalJson(listing as unknown as JsonValue)),
      ],
    );
    tx.afterCommit(() => {
      for (const { sha256 } of missing) this.remember(tx, sha256);
    });
  }

  /** That the organization works with the listings of this release from now on, so that the next difference is told. */
  async recordSeed(tx: Tx): Promise<void> {
    if (this.isKnown(tx, this.seed.sha256)) return;
    const listings = this.seed.all.map(({ listing, sha256 }) => ({
      id: listing.id,
      sha256,
      licenseKey: listing.license.spdxOrRef,
      licenseTextSha256: listing.license.textSha256,
    }));
    await tx.query(
      `INSERT INTO seed_seen (organization_id, seed_sha256, product_version, read_on, listings, seen_at)
       VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
      [
        tx.organizationId,
        this.seed.sha256,
        PRODUCT_VERSION,
        this.seedReadOn,
        JSON.stringify(listings),
        this.clock.now(),
      ],
    );
    tx.afterCommit(() => this.remember(tx, this.seed.sha256));
  }

  private isKnown({ organizationId }: Tx, sha256: string): boolean {
    return this.known.has(`${organizationId} ${sha256}`);
  }

  private remember({ organizationId }: Tx, sha256: string): void {
    if (this.known.size >= MAX_KNOWN) this.known.clear();
    this.known.add(`${organizationId} ${sha256}`);
  }
}
