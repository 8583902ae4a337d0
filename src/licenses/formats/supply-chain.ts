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
}

/** A listing as it took part. */
export interface SupplyChainComponent {
  readonly listing: Listing;
  /** SHA-256 of the listing's canonical JSON: names exactly these terms. */
  readonly listingSha256: string;
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

/** Everything that is exported about one asset, pipeline or use case. */
export interface SupplyChain {
  readonly subject: SupplyChainSubject;
  readonly components: readonly SupplyChainComponent[];
  /** Took part, but the registry has no listing: they are exported by name alone. */
  readonly unlisted: readonly ListingId[];
  /** Null when nothing was decided. */
  readonly clearance: SupplyChainClearance | null;
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
  const components = [...lineage.subjects].map(([id, { entry, roles, stepKeys, via, used }]) => ({
    listing: entry.listing,
    listingSha256: entry.sha256,
    roles: [...roles].sort(),
    stepKeys: [...stepKeys].sort(),
    via: [...via].sort(),
    use: used === 'yes' ? ('always' as const) : ('optional' as const),
    ...seenOrListed(entry.listing, seen.get(id)),
  }));
  return { components, unlisted: [...lineage.missing.keys()].sort() };
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
