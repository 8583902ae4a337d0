import { type ExpandedLineage } from './expand-lineage.js';
import { type Lineage, type LineageComponent, type LineageInput } from './lineage.js';
import { type ListingId } from './listing.js';
import { type ListingIndex } from './listing-index.js';
import { type RunFacts } from './run-facts.js';

/**
 * Everything a decision rests on, in one order whatever order the caller used. Listings are named by hash: the
 * registry keeps every version of a listing under its hash, so the input stays small and the decision repeatable.
 */
export type DecisionInput = {
  readonly v: 1;
  readonly engineVersion: string;
  readonly lineage: {
    readonly components: readonly LineageComponent[];
    readonly inputs: readonly LineageInput[];
  };
  readonly facts: RunFacts;
  /** `[id, sha256]`, sorted; the hash is null for a listing that the registry does not know. */
  readonly listings: readonly (readonly [ListingId, string | null])[];
  /** State of the registry; only the proposed alternatives depend on more of it than `listings`. */
  readonly registrySha256: string;
};

export function decisionInput({
  lineage,
  facts,
  expanded,
  listings,
  engineVersion,
}: {
  lineage: Lineage;
  facts: RunFacts;
  expanded: ExpandedLineage;
  listings: ListingIndex;
  engineVersion: string;
}): DecisionInput {
  // Every object here is written in the order of its keys: JSON.stringify then gives the canonical form (RFC 8785).
  return {
    engineVersion,
    facts: orderedFacts(facts),
    lineage: {
      components: inOrder(lineage.components.map(orderedComponent), componentKey),
      inputs: inOrder(lineage.inputs.map(orderedInput), (input) => JSON.stringify(input)),
    },
    listings: usedListings(expanded),
    registrySha256: listings.sha256,
    v: 1,
  };
}

/** Cheaper than JSON, and this is the hot path: the separator cannot occur in the parts. */
function componentKey({ listingId, optionalComponents, role, stepKey }: LineageComponent): string {
  const options = optionalComponents === undefined ? '' : JSON.stringify(optionalComponents);
  return `${stepKey}\n${listingId}\n${role}\n${options}`;
}

function orderedComponent({
  listingId,
  optionalComponents,
  role,
  stepKey,
}: LineageComponent): LineageComponent {
  if (optionalComponents === undefined) return { listingId, role, stepKey };
  const sorted = Object.entries(optionalComponents).sort(([a], [b]) => (a < b ? -1 : 1));
  return { listingId, optionalComponents: Object.fromEntries(sorted), role, stepKey };
}

/** Lists that are sets by meaning are sorted, so that the hash does not depend on how somebody wrote them down. */
function orderedFacts(facts: RunFacts): RunFacts {
  return {
    agreements: inOrder(facts.agreements.map(orderedAgreement), (agreement) => JSON.stringify(agreement)),
    audienceCountries: asSet(facts.audienceCountries),
    campaignEnd: facts.campaignEnd,
    campaignStart: facts.campaignStart,
    editsPlanned: facts.editsPlanned,
    fieldsOfUse: asSet(facts.fieldsOfUse),
    hosting: facts.hosting,
    humanReviewPlanned: facts.humanReviewPlanned,
    labelPlanned: facts.labelPlanned,
    monthlyActiveUsers: facts.monthlyActiveUsers,
    monthlyActiveUsersWithAffiliates: facts.monthlyActiveUsersWithAffiliates,
    monthlyVisits: facts.monthlyVisits,
    organizationRevenueUsd: facts.organizationRevenueUsd,
    organizationRevenueWithAffiliatesUsd: facts.organizationRevenueWithAffiliatesUsd,
    processingCountries: asSet(facts.processingCountries),
    productRevenueUsd: facts.productRevenueUsd,
    purpose: facts.purpose,
  };
}

function orderedAgreement({ kind, listingId, plan, reference }: RunFacts['agreements'][number]) {
  return { kind, listingId, plan, reference };
}

function orderedInput(input: LineageInput): LineageInput {
  const { aiInput, allowedUses, assetId, expiresAt, releases, rightsBasis, territory } = input;
  return {
    aiInput,
    allowedUses: asSet(allowedUses),
    ...(assetId === undefined ? {} : { assetId }),
    expiresAt,
    releases: inOrder(releases.map(orderedRelease), (release) => JSON.stringify(release)),
    rightsBasis,
    territory: asSet(territory),
  };
}

function orderedRelease({ coversAiAlteration, expiresAt, reference }: LineageInput['releases'][number]) {
  return { coversAiAlteration, expiresAt, reference };
}

function usedListings({ subjects, missing }: ExpandedLineage): DecisionInput['listings'] {
  const used: [ListingId, string | null][] = [];
  for (const [id, { entry }] of subjects) used.push([id, entry.sha256]);
  for (const id of missing.keys()) used.push([id, null]);
  return used.sort(([a], [b]) => (a < b ? -1 : 1));
}

function asSet<Word extends string, Item extends string>(value: Word | Item[]): Word | Item[] {
  return typeof value === 'string' || value.length === 1 ? value : [...new Set(value)].sort();
}

function inOrder<Item>(items: readonly Item[], keyOf: (item: Item) => string): Item[] {
  if (items.length < 2) return [...items];
  const keyed = items.map((item) => ({ item, key: keyOf(item) }));
  return keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)).map(({ item }) => item);
}
