import { type LineageRole } from '../../licenses/domain/listing.js';
import { GraphRefusedError, type GraphWeight } from './comfy-graph.js';
import { type OfferedComponent } from './offering.js';

export interface InventoriedFile {
  readonly fileName: string;
  /** Where the file lies. Without it the entry counts only where one kind of loader alone names such a file. */
  readonly folder?: string | undefined;
  readonly sha256: string;
  readonly listingId: string;
  /** Where one file plays another part than its loader says. */
  readonly role?: LineageRole | undefined;
}

/** The operator's list of the files of one server, beside everything that the graphs on this server load. */
export interface Inventory {
  readonly files: readonly InventoriedFile[];
  /** Of all workflows: a name that two kinds of loaders use is two files. */
  readonly loaded: readonly GraphWeight[];
}

/**
 * The listings of the weights in a graph. A file that the inventory does not hold gets the id of a listing that does
 * not exist: the license engine then answers for an unknown listing, as for any other.
 * @throws GraphRefusedError when the inventory names one file twice with different contents
 */
export function componentsOf(weights: readonly GraphWeight[], inventory: Inventory): OfferedComponent[] {
  const components = new Map<string, OfferedComponent>();
  for (const weight of weights) {
    const entry = fileOf(weight, inventory);
    const component = {
      listingId: entry?.listingId ?? unknownListing(weight.fileName),
      role: entry?.role ?? weight.role,
    };
    components.set(`${component.listingId} ${component.role}`, component);
  }
  return [...components.values()];
}

/**
 * The entry of the very file that a node loads: `loras/a.safetensors` and `vae/a.safetensors` are two files. An entry
 * that names no folder stands for one of them only, and when several could be meant it stands for none.
 */
export function fileOf(weight: GraphWeight, { files, loaded }: Inventory): InventoriedFile | undefined {
  const named = files.filter(({ fileName }) => fileName === weight.fileName);
  const exact = named.filter(({ folder }) => folder !== undefined && folder === weight.folder);
  if (exact.length > 0) return onlyOne(exact);
  const claimed = new Set(named.map(({ folder }) => folder));
  const open = loaded.filter(
    ({ fileName, folder }) => fileName === weight.fileName && (folder === undefined || !claimed.has(folder)),
  );
  if (new Set([weight, ...open].map(placeOf)).size > 1) return undefined;
  return onlyOne(named.filter(({ folder }) => folder === undefined));
}

/** A node of which nobody has said where it loads from has a place of its own. */
function placeOf({ folder, loader }: GraphWeight): string {
  return folder === undefined ? `node ${loader}` : `folder ${folder}`;
}

function onlyOne(found: readonly InventoriedFile[]): InventoriedFile | undefined {
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
