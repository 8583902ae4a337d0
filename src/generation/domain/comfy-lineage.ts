import { type LineageRole } from '../../licenses/domain/listing.js';
import { GraphRefusedError, type GraphWeight } from './comfy-graph.js';
import { type OfferedComponent } from './offering.js';

export interface InventoriedFile {
  readonly fileName: string;
  readonly sha256: string;
  readonly listingId: string;
  /** Where one file plays another part than its loader says. */
  readonly role?: LineageRole | undefined;
}

/**
 * The listings of the weights in a graph. A file that the inventory does not hold gets the id of a listing that does
 * not exist: the license engine then answers for an unknown listing, as for any other.
 * @throws GraphRefusedError when the inventory names one file twice with different contents
 */
export function componentsOf(
  weights: readonly GraphWeight[],
  inventory: readonly InventoriedFile[],
): OfferedComponent[] {
  const components = new Map<string, OfferedComponent>();
  for (const weight of weights) {
    const entry = fileOf(weight.fileName, inventory);
    const component = {
      listingId: entry?.listingId ?? unknownListing(weight.fileName),
      role: entry?.role ?? weight.role,
    };
    components.set(`${component.listingId} ${component.role}`, component);
  }
  return [...components.values()];
}

export function fileOf(fileName: string, inventory: readonly InventoriedFile[]): InventoriedFile | undefined {
  const found = inventory.filter((entry) => entry.fileName === fileName);
  if (new Set(found.map(({ sha256 }) => sha256)).size > 1)
    throw new GraphRefusedError(
      'the inventory holds two files of one name, so which of them runs is not known',
    );
  return found[0];
}

/** `unlisted-<name>@self-hosted`: in the form of a listing id, and never one of the registry. */
export function unknownListing(fileName: string): string {
  const slug = fileName
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 50);
  return `unlisted-${slug === '' ? 'weight' : slug}@self-hosted`;
}
