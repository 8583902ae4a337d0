import { type ExpandedLineage } from './expand-lineage.js';
import { type FileSignal } from './file-signals.js';
import { type Lineage, type LineageComponent, type LineageInput } from './lineage.js';
import { type ListingId } from './listing.js';
import { type RunFacts } from './run-facts.js';

/**
 * Everything a decision rests on, in one order whatever order the caller used. Listings are named by hash: the
 * registry keeps every version of a listing under its hash, so the input stays small and the decision repeatable.
 */
export type DecisionInput = {
  readonly v: 2;
  readonly engineVersion: string;
  readonly lineage: Lineage;
  readonly facts: RunFacts;
  /** `[id, sha256]`, sorted; the hash is null for a listing that the registry does not know. */
  readonly listings: readonly (readonly [ListingId, string | null])[];
  /** State of the registry; only the proposed alternatives depend on more of it than `listings`. */
  readonly registrySha256: string;
};

/**
 * The one form of a lineage: lists that are sets by meaning are sorted. Every object is written in the order of its
 * keys, so that JSON.stringify gives the canonical form (RFC 8785); a property test compares it with the library's.
 */
export function canonicalLineage(lineage: Lineage): Lineage {
  return {
    components: lineage.components.map(orderedComponent).sort(compareComponents),
    inputs: inOrder(lineage.inputs.map(orderedInput), (input) => JSON.stringify(input)),
  };
}

/**
 * Canonical JSON of a canonical lineage. Components are put together by hand, because JSON.stringify of them took a
 * fifth of a decision; a property test compares the result with the library's.
 */
export function lineageJson({ components, inputs }: Lineage): string {
  let all = '';
  for (const { listingId, optionalComponents, role, stepKey } of components) {
    const options = optionalComponents === undefined ? '' : optionsJson(optionalComponents);
    if (all !== '') all += ',';
    all += `{"listingId":${quoted(listingId)},${options}"role":"${role}","stepKey":${quoted(stepKey)}}`;
  }
  return `{"components":[${all}],"inputs":${inputs.length === 0 ? '[]' : JSON.stringify(inputs)}}`;
}

function optionsJson(options: NonNullable<LineageComponent['optionalComponents']>): string {
  return `"optionalComponents":${JSON.stringify(options)},`;
}

/** All but printable ASCII without quotation mark and backslash, which stands in JSON as it is. */
const MAY_NEED_ESCAPE = /[^\x20\x21\x23-\x5b\x5d-\x7e]/;

function quoted(text: string): string {
  return MAY_NEED_ESCAPE.test(text) ? JSON.stringify(text) : `"${text}"`;
}

/** The listings of a lineage as they stand in a decision's input, with their canonical JSON. */
export interface UsedListings {
  readonly listings: DecisionInput['listings'];
  readonly json: string;
}

/** Canonical JSON of an input whose long parts, lineage and listings, are already text. */
export function inputJson(
  { engineVersion, facts, registrySha256, v }: DecisionInput,
  lineageText: string,
  { json: listingsJson }: UsedListings,
): string {
  return (
    `{"engineVersion":${quoted(engineVersion)},"facts":${JSON.stringify(facts)},"lineage":${lineageText},` +
    `"listings":${listingsJson},"registrySha256":${quoted(registrySha256)},"v":${String(v)}}`
  );
}

/** The order has no meaning, only that there is one. Options differ between otherwise equal components at most. */
function compareComponents(a: LineageComponent, b: LineageComponent): number {
  return (
    compare(a.stepKey, b.stepKey) ||
    compare(a.listingId, b.listingId) ||
    compare(a.role, b.role) ||
    compare(JSON.stringify(a.optionalComponents ?? null), JSON.stringify(b.optionalComponents ?? null))
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function orderedComponent({
  listingId,
  optionalComponents,
  role,
  stepKey,
}: LineageComponent): LineageComponent {
  if (optionalComponents === undefined) return { listingId, role, stepKey };
  const options = Object.keys(optionalComponents);
  if (options.length < 2) return { listingId, optionalComponents: { ...optionalComponents }, role, stepKey };
  const sorted = Object.entries(optionalComponents).sort(([a], [b]) => compare(a, b));
  return { listingId, optionalComponents: Object.fromEntries(sorted), role, stepKey };
}

/** The one form of facts, in the order of their names. */
export function canonicalFacts(facts: RunFacts): RunFacts {
  return {
    agreements: inOrder(facts.agreements.map(orderedAgreement), (agreement) => JSON.stringify(agreement)),
    attributionPlanned: facts.attributionPlanned,
    audienceCountries: asSet(facts.audienceCountries),
    campaignEnd: facts.campaignEnd,
    campaignStart: facts.campaignStart,
    contentFilterPlanned: facts.contentFilterPlanned,
    editsPlanned: facts.editsPlanned,
    fieldsOfUse: asSet(facts.fieldsOfUse),
    furtherActs: asList(facts.furtherActs),
    generatedOn: facts.generatedOn,
    hosting: facts.hosting,
    humanReviewPlanned: facts.humanReviewPlanned,
    infringementNotice: facts.infringementNotice,
    labelPlanned: facts.labelPlanned,
    monthlyActiveUsers: facts.monthlyActiveUsers,
    monthlyActiveUsersWithAffiliates: facts.monthlyActiveUsersWithAffiliates,
    monthlyVisits: facts.monthlyVisits,
    organizationRevenueUsd: facts.organizationRevenueUsd,
    organizationRevenueWithAffiliatesUsd: facts.organizationRevenueWithAffiliatesUsd,
    processingCountries: asSet(facts.processingCountries),
    productRevenueUsd: facts.productRevenueUsd,
    purpose: facts.purpose,
    safetyFeaturesOn: facts.safetyFeaturesOn,
    ...(facts.showsPeople === undefined ? {} : { showsPeople: facts.showsPeople }),
    trademarkUse: facts.trademarkUse,
    usersByMonth: inOrder(facts.usersByMonth.map(orderedUsers), ({ month }) => month),
  };
}

function orderedAgreement({ kind, listingId, plan, reference }: RunFacts['agreements'][number]) {
  return { kind, listingId, plan, reference };
}

function orderedUsers(users: RunFacts['usersByMonth'][number]) {
  const { month, monthlyActiveUsers, monthlyActiveUsersWithAffiliates } = users;
  return { month, monthlyActiveUsers, monthlyActiveUsersWithAffiliates };
}

function orderedInput(input: LineageInput): LineageInput {
  const { aiInput, allowedUses, assetId, creativeCommons, expiresAt, fileSignals, goesInto } = input;
  const { permissionReference, releases, rightsBasis, showsPeople, territory, unreadPlaces } = input;
  return {
    aiInput,
    allowedUses: asSet(allowedUses),
    ...(assetId === undefined ? {} : { assetId }),
    ...(creativeCommons === undefined ? {} : { creativeCommons }),
    expiresAt,
    ...(fileSignals === undefined
      ? {}
      : { fileSignals: inOrder(fileSignals.map(orderedSignal), (signal) => JSON.stringify(signal)) }),
    ...(goesInto === undefined ? {} : { goesInto: asList(goesInto) }),
    ...(permissionReference === undefined ? {} : { permissionReference }),
    releases: inOrder(releases.map(orderedRelease), (release) => JSON.stringify(release)),
    rightsBasis,
    ...(showsPeople === undefined ? {} : { showsPeople }),
    territory: asSet(territory),
    ...(unreadPlaces === undefined ? {} : { unreadPlaces: asList(unreadPlaces) }),
  };
}

function orderedSignal({ act, constraint, manifestBroken, origin, use }: FileSignal): FileSignal {
  return { act, constraint, ...(manifestBroken === undefined ? {} : { manifestBroken }), origin, use };
}

function orderedRelease(release: LineageInput['releases'][number]): LineageInput['releases'][number] {
  const { coversAiAlteration, expiresAt, reference, territory } = release;
  const shown = territory === undefined ? {} : { territory: asSet(territory) };
  return { coversAiAlteration, expiresAt, reference, ...shown };
}

export function usedListings({ subjects, missing }: ExpandedLineage): UsedListings {
  const listings: (readonly [ListingId, string | null])[] = [];
  let pairs = '';
  for (const { entry } of subjects) {
    listings.push(entry.pair);
    pairs += pairs === '' ? entry.pairJson : `,${entry.pairJson}`;
  }
  if (missing.size === 0) return { listings, json: `[${pairs}]` };
  for (const id of missing.keys()) listings.push([id, null]);
  listings.sort(([a], [b]) => compare(a, b));
  return { listings, json: JSON.stringify(listings) };
}

function asSet<Word extends string, Item extends string>(value: Word | Item[]): Word | Item[] {
  return typeof value === 'string' ? value : asList(value);
}

function asList<Item extends string>(items: Item[]): Item[] {
  return items.length < 2 ? items : [...new Set(items)].sort();
}

function inOrder<Item>(items: readonly Item[], keyOf: (item: Item) => string): Item[] {
  if (items.length < 2) return [...items];
  const keyed = items.map((item) => ({ item, key: keyOf(item) }));
  return keyed.sort((a, b) => compare(a.key, b.key)).map(({ item }) => item);
}
