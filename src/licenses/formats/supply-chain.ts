import { type ExpandedLineage } from '../domain/expand-lineage.js';
import { type Decision, type Finding, type Obligation } from '../domain/finding.js';
import { revisionMark, type LineageRole, type Listing, type ListingId } from '../domain/listing.js';

/** What a bill of materials is about. */
export interface SupplyChainSubject {
  readonly kind: 'asset' | 'pipeline' | 'use-case';
  /** Public id, e.g. `ast_...`. */
  readonly id: string;
  readonly name: string;
  /** Of the bytes of an asset; null for a definition. */
  readonly sha256: string | null;
  /** Of an asset: `test` means that the sandbox played the models, and the asset is never for publication. */
  readonly mode?: 'live' | 'test';
}

/** A listing as it took part. */
export interface SupplyChainComponent {
  readonly listing: Listing;
  /** SHA-256 of the listing's canonical JSON: names exactly these terms. */
  readonly listingSha256: string;
  /** Where several decisions rest on several versions of the listing: those before this one. */
  readonly earlierSha256?: readonly string[];
  readonly roles: readonly LineageRole[];
  readonly stepKeys: readonly string[];
  /** Listings that bring it in unasked. */
  readonly via: readonly ListingId[];
  readonly use: 'always' | 'optional';
  /** SHA-256 of the weights that ran; null when nobody could see them, e.g. behind an API. */
  readonly weightsSha256: string | null;
  readonly revision: string | null;
}

export interface SupplyChainClearance {
  readonly id: string;
  readonly decision: Decision;
  readonly engineVersion: string;
  readonly findings: readonly Finding[];
  readonly obligations: readonly Obligation[];
}

/** The decisions from which the components were taken. */
export interface SupplyChainBasis {
  readonly decisions: number;
  /** Public ids; of many only the last ones. */
  readonly clearanceIds: readonly string[];
  /** RFC 3339; null when the time is not limited. */
  readonly since: string | null;
  readonly until: string | null;
}

/** Everything that is exported about one asset, pipeline or use case. */
export interface SupplyChain {
  readonly subject: SupplyChainSubject;
  readonly components: readonly SupplyChainComponent[];
  /** Took part, but the registry has no listing: they are exported by name alone. */
  readonly unlisted: readonly ListingId[];
  /** Null when nothing was decided. */
  readonly clearance: SupplyChainClearance | null;
  readonly basis?: SupplyChainBasis;
}

/** The only parts of an export that differ between two exports of the same thing. */
export interface ExportStamp {
  /** UUID, lower case. */
  readonly serial: string;
  /** RFC 3339 in UTC without fractions of a second, as SPDX demands. */
  readonly time: string;
  /** Version of this program. */
  readonly toolVersion: string;
}

/** What a run could see of the files behind a listing. */
export interface SeenWeights {
  readonly weightsSha256: string | null;
  readonly revision: string | null;
}

export function supplyChainComponents(
  lineage: ExpandedLineage,
  seen: ReadonlyMap<ListingId, SeenWeights> = new Map(),
): Pick<SupplyChain, 'components' | 'unlisted'> {
  const components = lineage.subjects.map(({ entry, roles, stepKeys, via, used }) => ({
    listing: entry.listing,
    listingSha256: entry.sha256,
    roles: [...roles].sort(),
    stepKeys: [...stepKeys].sort(),
    via: [...via].sort(),
    use: used === 'yes' ? ('always' as const) : ('optional' as const),
    ...seenOrListed(entry.listing, seen.get(entry.listing.id)),
  }));
  return { components, unlisted: [...lineage.missing.keys()].sort() };
}

/** What took part in any of several lineages; of several versions of one listing the last one is described. */
export function mergedComponents(
  oldestFirst: readonly Pick<SupplyChain, 'components' | 'unlisted'>[],
): Pick<SupplyChain, 'components' | 'unlisted'> {
  const merged = new Map<ListingId, SupplyChainComponent>();
  for (const component of oldestFirst.flatMap(({ components }) => components)) {
    const known = merged.get(component.listing.id);
    merged.set(component.listing.id, known === undefined ? component : together(known, component));
  }
  const unlisted = new Set(oldestFirst.flatMap((each) => each.unlisted));
  return {
    components: [...merged.values()],
    unlisted: [...unlisted].filter((id) => !merged.has(id)).sort(),
  };
}

function together(known: SupplyChainComponent, later: SupplyChainComponent): SupplyChainComponent {
  const both = <Item extends string>(a: readonly Item[], b: readonly Item[]) =>
    [...new Set([...a, ...b])].sort();
  const earlier = both([...(known.earlierSha256 ?? []), known.listingSha256], later.earlierSha256 ?? []);
  const others = earlier.filter((sha256) => sha256 !== later.listingSha256);
  return {
    ...later,
    ...(others.length === 0 ? {} : { earlierSha256: others }),
    roles: both(known.roles, later.roles),
    stepKeys: both(known.stepKeys, later.stepKeys),
    // Named by one of them itself: then it did not only come along.
    via: known.via.length === 0 || later.via.length === 0 ? [] : both(known.via, later.via),
    use: known.use === 'always' ? 'always' : later.use,
  };
}

/** What the run saw; otherwise the revision for which the listing is. */
function seenOrListed({ revision }: Listing, seen: SeenWeights | undefined): SeenWeights {
  const listed = {
    weightsSha256: revision !== undefined && 'weightsSha256' in revision ? revision.weightsSha256 : null,
    revision: revision === undefined || 'weightsSha256' in revision ? null : revisionMark(revision),
  };
  return {
    weightsSha256: seen?.weightsSha256 ?? listed.weightsSha256,
    revision: seen?.revision ?? listed.revision,
  };
}

/** Components in the order of their ids, whatever order the caller has. */
export function inIdOrder(components: readonly SupplyChainComponent[]): readonly SupplyChainComponent[] {
  return [...components].sort((a, b) =>
    a.listing.id < b.listing.id ? -1 : a.listing.id > b.listing.id ? 1 : 0,
  );
}

/** What a finding says, in one line. */
export function findingText({ severity, ruleId, message, howToFix }: Finding): string {
  return `${severity} ${ruleId}: ${message}${howToFix === '' ? '' : ` How to fix: ${howToFix}`}`;
}

/** @throws RangeError when the stamp would not fit into both formats */
export function checkStamp({ serial, time }: ExportStamp): void {
  if (!/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(serial))
    throw new RangeError('the serial is no UUID');
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(time)) throw new RangeError('the time is not UTC in seconds');
}
