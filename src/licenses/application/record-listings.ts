import { type AppendEntry } from '../../audit/application/append-entry.js';
import { type Tx } from '../../database/organization-tx.js';
import { actorOf } from '../../identity/application/actor.js';
import { type Principal } from '../../identity/domain/principal.js';
import { canonicalJson, type JsonValue } from '../../shared/canonical-json.js';
import { type Clock } from '../../shared/clock.js';
import { newId, publicId } from '../../shared/ids.js';
import { type IndexedListing, indexListing } from '../domain/listing-index.js';
import { type Listing, type ListingId } from '../domain/listing.js';
import { type RegistryState } from '../domain/registry-state.js';
import { affectedBy, type Affected } from './affected-decisions.js';
import { type EffectiveRegistry, type RegistryChange } from './effective-registry.js';
import { requireOtherEyes } from './require-other-eyes.js';

/** What became of one listing. */
export type ListingOutcome =
  | { readonly outcome: 'recorded' | 'unchanged'; readonly listingId: ListingId; readonly sha256: string }
  /** A listing of the product is corrected by curations, never replaced. */
  | { readonly outcome: 'refused'; readonly listingId: ListingId; readonly why: 'comes-with-product' };

export interface RecordedListings {
  readonly outcomes: readonly ListingOutcome[];
  readonly affected: Affected;
}

/** How the organization came to know them. */
export type ListingSource =
  { readonly kind: 'typed' } | { readonly kind: 'import'; readonly importId: string };

/** Records listings of the organization itself: all of them in one transaction, the unchanged ones not again. */
export class RecordListings {
  constructor(
    private readonly registry: EffectiveRegistry,
    private readonly appendEntry: AppendEntry,
    private readonly clock: Clock,
  ) {}

  /**
   * @param listings with different ids
   * @throws ColophonError `four_eyes_required`
   */
  async record(
    tx: Tx,
    principal: Principal,
    listings: readonly Listing[],
    source: ListingSource,
  ): Promise<RecordedListings> {
    const known = await this.registry.now(tx);
    const entries = listings.map(indexListing);
    if (!entries.some((entry) => outcomeOf(entry, known).outcome === 'recorded')) {
      return {
        outcomes: entries.map((entry) => outcomeOf(entry, known)),
        affected: { clearances: [], waivers: [] },
      };
    }
    const change = await this.registry.change(tx);
    // Another transaction may have changed the registry before the lock was ours alone.
    const outcomes = entries.map((entry) => outcomeOf(entry, change.before));
    const recorded = entries.filter((_entry, i) => outcomes[i]?.outcome === 'recorded');
    await requireOtherEyes(
      tx,
      principal,
      recorded.map(({ listing }) => listing.id),
    );
    await this.insert(tx, principal, recorded, source, change);
    const after = await this.registry.after(tx, change);
    const ids = recorded.map(({ listing }) => listing.id).filter((id) => known.base.has(id));
    const affected = await affectedBy(tx, ids, change.before, after, this.clock.now());
    return { outcomes, affected };
  }

  private async insert(
    tx: Tx,
    principal: Principal,
    recorded: readonly IndexedListing[],
    source: ListingSource,
    { version }: RegistryChange,
  ): Promise<void> {
    const ids = recorded.map(() => newId());
    const entryIds: string[] = [];
    const importId = source.kind === 'import' ? source.importId : null;
    for (const [i, { listing, sha256 }] of recorded.entries()) {
      const { spdxOrRef, textSha256 } = listing.license;
      entryIds.push(
        await this.appendEntry.append(tx, {
          type: 'listing.recorded',
          actor: actorOf(principal),
          subject: { kind: 'listing', id: publicId('listing', ids[i] ?? '') },
          data: {
            listingId: listing.id,
            sha256,
            source: source.kind,
            licenseKey: spdxOrRef,
            ...(textSha256 === null ? {} : { licenseTextSha256: textSha256 }),
            ...(importId === null ? {} : { importId: publicId('catalogImport', importId) }),
          },
        }),
      );
    }
    await tx.query(
      `INSERT INTO listing_version
         (organization_id, version, source, import_id, created_by, created_at, listing_id, id, listing, sha256, entry_id)
       SELECT $1, $2, $3, $4, $5, $6, * FROM unnest($7::text[], $8::uuid[], $9::bytea[], $10::text[], $11::uuid[])`,
      [
        tx.organizationId,
        version,
        source.kind,
        importId,
        principal.principalId,
        this.clock.now(),
        recorded.map(({ listing }) => listing.id),
        ids,
        recorded.map(({ listing }) => canonicalJson(listing as unknown as JsonValue)),
        recorded.map(({ sha256 }) => sha256),
        entryIds,
      ],
    );
  }
}

function outcomeOf({ listing: { id }, sha256 }: IndexedListing, state: RegistryState): ListingOutcome {
  const own = state.own.has(id);
  if (!own && state.base.has(id)) return { outcome: 'refused', listingId: id, why: 'comes-with-product' };
  const unchanged = own && state.base.get(id)?.sha256 === sha256;
  return { outcome: unchanged ? 'unchanged' : 'recorded', listingId: id, sha256 };
}
