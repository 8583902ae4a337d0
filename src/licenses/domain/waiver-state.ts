import { type Basis, reopened, type ReopenedByRegistry } from './reopened.js';
import { type ListingId } from './listing.js';
import { type RegistryState } from './registry-state.js';

/** `ended`: its day came. `dead`: before its day, because what it rests on has changed. */
export const WAIVER_STATES = ['in-force', 'ended', 'dead'] as const;
export type WaiverState = (typeof WAIVER_STATES)[number];

export interface WaiverStanding {
  readonly state: WaiverState;
  /** `decided-again`: the decision whose findings it accepts is not the last one any more. */
  readonly endedBecause: 'date' | 'license-text' | 'facts' | 'decided-again' | null;
  /** Null while it is in force, and where nobody wrote down when it happened (another release of the product). */
  readonly endedAt: Date | null;
  /** What has changed under it. */
  readonly changes: readonly ReopenedByRegistry[];
}

/** What a waiver rests on. */
export interface WaiverBasis {
  readonly expiresAt: Date;
  readonly registryVersion: number;
  readonly basis: readonly Basis[];
  /** When the decision that it is for was made again; null for the last decision, and for a waiver of a finding. */
  readonly decidedAgainAt: Date | null;
}

/** Of several reasons the first one ended it: what came later found no waiver any more. */
export function waiverStanding(
  { expiresAt, registryVersion, basis, decidedAgainAt }: WaiverBasis,
  registry: RegistryState,
  now: Date,
): WaiverStanding {
  const changes = reopened(basis, registryVersion, registry);
  const because = changes.some((change) => change.because === 'license-text') ? 'license-text' : 'facts';
  const changedAt = changes.length === 0 ? null : firstChange(changes, registryVersion, registry);
  const isOver = expiresAt <= now;
  if (changes.length > 0 && !(isOver && (changedAt === null || changedAt > expiresAt)))
    return { state: 'dead', endedBecause: because, endedAt: changedAt, changes };
  if (decidedAgainAt !== null && !(isOver && decidedAgainAt > expiresAt))
    return { state: 'dead', endedBecause: 'decided-again', endedAt: decidedAgainAt, changes };
  if (isOver) return { state: 'ended', endedBecause: 'date', endedAt: expiresAt, changes };
  return { state: 'in-force', endedBecause: null, endedAt: null, changes };
}

/** The first recorded change of one of these listings since a version of the registry. */
function firstChange(
  changes: readonly ReopenedByRegistry[],
  since: number,
  registry: RegistryState,
): Date | null {
  const ids = new Set<ListingId>(changes.map(({ listingId }) => listingId));
  const readings = [...registry.readings.values()]
    .flat()
    .filter(
      ({ change, affectedListingIds }) =>
        change === 'changed' && affectedListingIds.some((id) => ids.has(id)),
    );
  const curations = [...ids].flatMap((id) => registry.curations.get(id) ?? []);
  const own = [...ids].flatMap((id) => registry.own.get(id) ?? []);
  const later = [...readings, ...curations, ...own].filter(({ version }) => version > since);
  const [first] = later.map(({ createdAt }) => createdAt).sort((a, b) => a.getTime() - b.getTime());
  return first ?? null;
}
