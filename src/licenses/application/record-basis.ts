import { type Tx } from '../../database/organization-tx.js';
import { canonicalJson, type JsonValue } from '../../shared/canonical-json.js';
import { type Clock } from '../../shared/clock.js';
import { PRODUCT_VERSION } from '../../shared/product.js';
import { decisiveSha256 } from '../domain/decisive-facts.js';
import { type DecisionBasis } from '../domain/decision-basis.js';
import { type IndexedListing, type ListingIndex } from '../domain/listing-index.js';
import { type Outlook } from '../domain/listing-outlook.js';

/** Hashes of which a process knows that they are archived: about 100 bytes each. */
const MAX_KNOWN = 50_000;

/** Bases that a process knows: about 150 bytes each. */
const MAX_KNOWN_BASES = 20_000;

/**
 * Keeps what a decision rests on: which listings with which license texts and what they say, and the listings
 * themselves under their hashes, so that the decision can be found when one of them changes and made again years later.
 *
 * Most decisions rest on just what an earlier one rested on. It is written down with the first of them, and the others
 * name that one.
 */
export class RecordBasis {
  /** `<organization> <sha256>` of rows that are committed; they are never removed. */
  private readonly known = new Set<string>();
  /** `<organization> <hash of a basis>`: the first decision (UUID) that rests on it, committed. */
  private readonly firsts = new Map<string, string>();

  constructor(
    private readonly seed: ListingIndex,
    private readonly seedReadOn: string,
    private readonly clock: Clock,
  ) {}

  /** The decision (UUID) that was the first to rest on this; undefined when there is none yet. */
  async firstOf(tx: Tx, { sha256 }: DecisionBasis): Promise<string | undefined> {
    const known = this.firsts.get(`${tx.organizationId} ${sha256}`);
    if (known !== undefined) return known;
    const [row] = await tx.query<{ id: string }>(
      'SELECT id FROM clearance WHERE organization_id = $1 AND basis_sha256 = $2 ORDER BY id LIMIT 1',
      [tx.organizationId, sha256],
    );
    if (row !== undefined) this.rememberFirst(tx, sha256, row.id);
    return row?.id;
  }

  /** After the decision (UUID) is inserted as the first that rests on this. */
  async record(tx: Tx, clearanceId: string, { used, outlooks, sha256 }: DecisionBasis): Promise<void> {
    await this.archive(tx, used);
    await this.archiveOutlooks(tx, outlooks);
    await tx.query(
      `INSERT INTO clearance_listing (organization_id, clearance_id, listing_id, sha256, decisive_sha256, license_key,
                                      license_text_sha256, outlook_sha256)
       SELECT $1, $2, * FROM unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[])`,
      [
        tx.organizationId,
        clearanceId,
        used.map(({ listing }) => listing.id),
        used.map((entry) => entry.sha256),
        used.map(decisiveSha256),
        used.map(({ listing }) => listing.license.spdxOrRef),
        used.map(({ listing }) => listing.license.textSha256),
        outlooks.map((outlook) => outlook.sha256),
      ],
    );
    this.rememberFirst(tx, sha256, clearanceId);
  }

  /** After a database was put back to an earlier state under a running process, what it knows may be gone. */
  forget(): void {
    this.known.clear();
    this.firsts.clear();
  }

  private async archiveOutlooks(tx: Tx, outlooks: readonly Outlook[]): Promise<void> {
    const missing = outlooks.filter(({ sha256 }) => !this.isKnown(tx, sha256));
    if (missing.length === 0) return;
    await tx.query(
      `INSERT INTO outlook_archive (organization_id, sha256, listing_id, outlook)
       SELECT $1, * FROM unnest($2::text[], $3::text[], $4::bytea[]) ON CONFLICT DO NOTHING`,
      [
        tx.organizationId,
        missing.map(({ sha256 }) => sha256),
        missing.map(({ listingId }) => listingId),
        missing.map(({ bytes }) => bytes),
      ],
    );
    tx.afterCommit(() => {
      for (const { sha256 } of missing) this.remember(tx, sha256);
    });
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

  /** Not before the commit: a decision that is rolled back is nothing to refer to. */
  private rememberFirst(tx: Tx, sha256: string, clearanceId: string): void {
    tx.afterCommit(() => {
      if (this.firsts.size >= MAX_KNOWN_BASES) this.firsts.clear();
      this.firsts.set(`${tx.organizationId} ${sha256}`, clearanceId);
    });
  }

  private isKnown({ organizationId }: Tx, sha256: string): boolean {
    return this.known.has(`${organizationId} ${sha256}`);
  }

  private remember({ organizationId }: Tx, sha256: string): void {
    if (this.known.size >= MAX_KNOWN) this.known.clear();
    this.known.add(`${organizationId} ${sha256}`);
  }
}
