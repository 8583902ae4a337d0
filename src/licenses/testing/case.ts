import { decide, type DecisionResult } from '../domain/engine.js';
import { ENGINE_VERSION } from '../domain/engine-version.js';
import { type Decision } from '../domain/finding.js';
import { type Lineage, type LineageInput, lineageSchema } from '../domain/lineage.js';
import { type LineageRole, type Listing, listingSchema } from '../domain/listing.js';
import { indexListings, type ListingIndex } from '../domain/listing-index.js';
import { type RunFactsInput, runFactsSchema } from '../domain/run-facts.js';
import { seedListings } from '../registry/seed.js';

/** A small company that has stated everything: whatever is decided follows from the license. */
export const SMALL: RunFactsInput = {
  purpose: 'commercial',
  audienceCountries: ['US', 'CA'],
  organizationRevenueUsd: 500_000,
  organizationRevenueWithAffiliatesUsd: 500_000,
  monthlyActiveUsers: 1_000,
  monthlyActiveUsersWithAffiliates: 1_000,
  monthlyVisits: 1_000,
  hosting: 'own-use',
  processingCountries: ['CA'],
  humanReviewPlanned: 'yes',
  labelPlanned: 'yes',
  attributionPlanned: 'yes',
  editsPlanned: 'no',
  safetyFeaturesOn: 'yes',
  trademarkUse: 'no',
  infringementNotice: 'no',
  generatedOn: '2026-11-25',
  campaignStart: '2026-12-01',
  campaignEnd: '2026-12-31',
};

const OWNED: LineageInput = {
  rightsBasis: 'owned',
  allowedUses: ['commercial'],
  aiInput: 'yes',
  territory: 'worldwide',
  expiresAt: null,
  showsPeople: 'no',
  releases: [],
};

/** One row of the table: what the texts say of it, and from which text that was read. */
export interface Case {
  readonly what: string;
  readonly source: string;
  /** Listing ids without `@` are self-hosted. */
  readonly use: readonly string[];
  readonly facts?: Partial<RunFactsInput>;
  readonly input?: Partial<LineageInput>;
  readonly optional?: Record<string, 'yes' | 'no' | 'unknown'>;
  /** What each of `use` does in the lineage; without it, the first role of its listing. */
  readonly roles?: readonly LineageRole[];
  /** Listings beside those of the seed: LoRAs, purchased licenses. */
  readonly listings?: readonly Listing[];
  readonly decision: Decision;
  /** Every rule that speaks with the decisive severity or, for `allow`, none. */
  readonly rules: readonly string[];
}

const full = (id: string) => (id.includes('@') ? id : `${id}@self-hosted`);

export function indexFor({ listings = [] }: Pick<Case, 'listings'>): ListingIndex {
  if (listings.length === 0) return seedListings();
  return indexListings([...seedListings().all.map(({ listing }) => listing), ...listings]);
}

export function lineageOf({ use, input, optional, roles = [] }: Case, index: ListingIndex): Lineage {
  const optionalComponents =
    optional && Object.fromEntries(Object.entries(optional).map(([id, used]) => [full(id), used]));
  return lineageSchema.parse({
    components: use.map((id, at) => ({
      listingId: full(id),
      role: roles[at] ?? index.get(full(id))?.listing.roles[0] ?? 'generator',
      stepKey: `step-${String(at)}`,
      ...(optionalComponents && { optionalComponents }),
    })),
    inputs: input ? [{ ...OWNED, ...input }] : [],
  });
}

export function decideCase(one: Case): DecisionResult {
  const listings = indexFor(one);
  const facts = runFactsSchema.parse({ ...SMALL, ...one.facts });
  return decide({ lineage: lineageOf(one, listings), facts, listings, engineVersion: ENGINE_VERSION });
}

/** A listing of the seed under another name and with other facts. */
export function variant(of: string, name: string, changes: Partial<Listing>): Listing {
  const original = seedListings().get(full(of))?.listing;
  if (!original) throw new Error(`${of} is not in the seed`);
  return listingSchema.parse({ ...original, id: full(name), name, ...changes });
}

export const registered = (id: string): Partial<RunFactsInput> => ({
  agreements: [{ listingId: full(id), kind: 'registration', reference: 'R-1' }],
});
export const onPlan = (listingId: string, plan: string): Partial<RunFactsInput> => ({
  agreements: [{ listingId, kind: 'plan', plan, reference: 'P-1' }],
});
export const revenue = (usd: number): Partial<RunFactsInput> => ({
  organizationRevenueUsd: usd,
  organizationRevenueWithAffiliatesUsd: usd,
});
export const affiliates = (own: number, all: number): Partial<RunFactsInput> => ({
  organizationRevenueUsd: own,
  organizationRevenueWithAffiliatesUsd: all,
});
export const users = (strongest: number, months: Record<string, number> = {}): Partial<RunFactsInput> => ({
  monthlyActiveUsers: strongest,
  monthlyActiveUsersWithAffiliates: strongest,
  usersByMonth: Object.entries(months).map(([month, monthlyActiveUsers]) => ({ month, monthlyActiveUsers })),
});
export const UNKNOWN_REVENUE: Partial<RunFactsInput> = {
  organizationRevenueUsd: 'unknown',
  organizationRevenueWithAffiliatesUsd: 'unknown',
};
export const EVALUATION: Partial<RunFactsInput> = { purpose: 'internal-evaluation' };
export const DE: Partial<RunFactsInput> = { audienceCountries: ['DE'] };
export const WORLD: Partial<RunFactsInput> = { audienceCountries: 'worldwide' };
