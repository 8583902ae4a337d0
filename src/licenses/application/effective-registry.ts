import { type Tx } from '../../database/organization-tx.js';
import { correctionSchema, evidenceSchema } from '../domain/curation.js';
import { type ListingIndex } from '../domain/listing-index.js';
import { listingSchema } from '../domain/listing.js';
import {
  advance,
  type OwnListing,
  type RecordedCuration,
  type RecordedReading,
  type RegistryChanges,
  type RegistryState,
  seedState,
} from '../domain/registry-state.js';
import { sha256Hex } from '../../shared/bytes.js';

/** Registries with listings of their own that a process keeps; each of 2,000 listings takes some 20 MB. */
const MAX_KEPT = 32;

interface DecisionBasis {
  readonly version: number;
  readonly policiesMark: string;
}

/** A change of the registry that is being made: the state before it, and the version that it will have. */
export interface RegistryChange {
  readonly version: number;
  readonly before: RegistryState;
}

/**
 * The registry of each organization, built once and kept. The version that the database counts tells, in the very
 * transaction that decides, whether what is kept still holds: another process may have changed it.
 */
export class EffectiveRegistry {
  private readonly none: RegistryState;
  /** In the order of their last use. */
  private readonly kept = new Map<string, RegistryState>();
  /** Of transactions that hold the lock: nobody else can change it until they end. */
  private readonly held = new WeakMap<Tx, DecisionBasis>();

  constructor(readonly seed: ListingIndex) {
    this.none = seedState(seed);
  }

  /**
   * The registry as it is, until this transaction ends: whoever wants to change it waits. Take it before anything is
   * decided or done that rests on it.
   */
  async within(tx: Tx): Promise<RegistryState> {
    const { version } = await this.hold(tx);
    return this.at(tx, version);
  }

  /**
   * Names the policies of the organization as they are until this transaction ends. Undefined in a transaction that
   * does not hold the registry: there they may change.
   */
  policiesMark(tx: Tx): string | undefined {
    return this.held.get(tx)?.policiesMark;
  }

  private async hold(tx: Tx): Promise<DecisionBasis> {
    const known = this.held.get(tx);
    if (known !== undefined) return known;
    const [row] = await tx.query<{ registry_version: string; policies_mark: string }>(
      'SELECT * FROM decision_basis($1)',
      [tx.organizationId],
    );
    if (row === undefined) throw new Error('the database does not say what decisions rest on');
    const basis = { version: Number(row.registry_version), policiesMark: row.policies_mark };
    this.held.set(tx, basis);
    return basis;
  }

  /** The registry as it is at this moment, for showing it: it may change before the transaction ends. */
  async now(tx: Tx): Promise<RegistryState> {
    const [row] = await tx.query<{ version: string }>(
      'SELECT version FROM registry_version WHERE organization_id = $1',
      [tx.organizationId],
    );
    return this.at(tx, Number(row?.version ?? 0));
  }

  /**
   * Takes the next version for a change that this transaction makes. Changes of one organization wait for each other,
   * and for decisions that are being recorded.
   */
  async change(tx: Tx): Promise<RegistryChange> {
    const version = await nextVersion(tx);
    this.held.delete(tx);
    return { version, before: await this.at(tx, version - 1) };
  }

  /** The state that the rows of this transaction make, once all of them are written. */
  async after(tx: Tx, { version, before }: RegistryChange): Promise<RegistryState> {
    const state = advance(before, await changesSince(tx, before.version, version));
    tx.afterCommit(() => this.keep(tx.organizationId, state));
    return state;
  }

  private async at(tx: Tx, version: number): Promise<RegistryState> {
    if (version === 0) return this.none;
    const kept = this.kept.get(tx.organizationId);
    if (kept?.version === version) {
      this.keep(tx.organizationId, kept);
      return kept;
    }
    // A state of a later version was made by a database that has been restored since: begin anew.
    const from = kept !== undefined && kept.version < version ? kept : this.none;
    const state = advance(from, await changesSince(tx, from.version, version));
    // Never before the commit: the versions of a transaction that is rolled back are given again.
    tx.afterCommit(() => this.keep(tx.organizationId, state));
    return state;
  }

  private keep(organizationId: string, state: RegistryState): void {
    const known = this.kept.get(organizationId);
    this.kept.delete(organizationId);
    this.kept.set(organizationId, known !== undefined && known.version > state.version ? known : state);
    const [oldest] = this.kept.keys();
    if (this.kept.size > MAX_KEPT && oldest !== undefined) this.kept.delete(oldest);
  }
}

async function nextVersion(tx: Tx): Promise<number> {
  const [row] = await tx.query<{ version: string }>('SELECT registry_next_version($1) AS version', [
    tx.organizationId,
  ]);
  return Number(row?.version);
}

/**
 * What was recorded after one version, up to another.
 * @param listingIds own listings and curations of these only
 */
export async function changesSince(
  tx: Tx,
  since: number,
  version: number,
  listingIds?: readonly string[],
): Promise<RegistryChanges> {
  const range = [tx.organizationId, since, version];
  const of = [...range, listingIds ?? null];
  const own = await tx.query<OwnRow>(
    `SELECT id, version, listing_id, listing, sha256, source, created_by, created_at FROM listing_version
      WHERE organization_id = $1 AND version > $2 AND version <= $3 AND ($4::text[] IS NULL OR listing_id = ANY($4))
      ORDER BY version, listing_id`,
    of,
  );
  const curations = await tx.query<CurationRow>(
    `SELECT id, version, listing_id, correction, evidence, sha256, created_by, created_at FROM curation
      WHERE organization_id = $1 AND version > $2 AND version <= $3 AND ($4::text[] IS NULL OR listing_id = ANY($4))
      ORDER BY version`,
    of,
  );
  const readings = await tx.query<ReadingRow>(
    `SELECT id, version, license_key, sha256, listing_ids, affected_listing_ids, source_url, read_on::text,
            in_force_since::text, change, terms_read_from_this, created_by, created_at FROM license_text_reading
      WHERE organization_id = $1 AND version > $2 AND version <= $3 ORDER BY version`,
    range,
  );
  return {
    version,
    own: own.map(toOwn),
    curations: curations.map(toCuration),
    readings: readings.map(toReading),
  };
}

interface Recorded {
  id: string;
  version: string;
  sha256: string;
  created_by: string;
  created_at: Date;
}
interface OwnRow extends Recorded {
  listing_id: string;
  listing: Buffer;
  source: OwnListing['source'];
}
interface CurationRow extends Recorded {
  listing_id: string;
  correction: unknown;
  evidence: unknown;
}
interface ReadingRow extends Recorded {
  license_key: string;
  listing_ids: string[];
  affected_listing_ids: string[];
  source_url: string | null;
  read_on: string;
  in_force_since: string | null;
  change: RecordedReading['change'];
  terms_read_from_this: boolean;
}

const recorded = ({ id, version, created_by, created_at }: Recorded) => ({
  id,
  version: Number(version),
  createdBy: created_by,
  createdAt: created_at,
});

/** @throws Error for bytes that are not those of which the hash was recorded: nothing is decided with them. */
function toOwn(row: OwnRow): OwnListing {
  if (sha256Hex(row.listing) !== row.sha256)
    throw new Error(`the stored listing ${row.listing_id} does not have the recorded hash`);
  const listing = listingSchema.parse(JSON.parse(row.listing.toString('utf8')));
  return { ...recorded(row), listing, source: row.source };
}

function toCuration(row: CurationRow): RecordedCuration {
  return {
    ...recorded(row),
    listingId: row.listing_id,
    correction: correctionSchema.parse(row.correction),
    evidence: evidenceSchema.parse(row.evidence),
    sha256: row.sha256,
  };
}

function toReading(row: ReadingRow): RecordedReading {
  return {
    ...recorded(row),
    licenseKey: row.license_key,
    sha256: row.sha256,
    listingIds: row.listing_ids,
    affectedListingIds: row.affected_listing_ids,
    sourceUrl: row.source_url,
    readOn: row.read_on,
    inForceSince: row.in_force_since,
    change: row.change,
    termsReadFromThis: row.terms_read_from_this,
  };
}
