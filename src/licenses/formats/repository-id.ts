import { type IndexedListing } from '../domain/listing-index.js';
import { type Listing, type ListingId } from '../domain/listing.js';

/** `owner/name`, as model repositories are called. */
const REPOSITORY_ID = /^[\w.-]{1,96}\/[\w.-]{1,96}$/;
const HUB = 'huggingface.co';
/** First parts of addresses at which there is no model. */
const NO_OWNERS: readonly string[] = ['spaces', 'datasets', 'docs', 'blog', 'papers', 'collections'];

/** Repositories of which a listing says that they are its own: its name when imported, and where it was read. */
function repositoryIdsOf({ name, license, sources }: Listing): ReadonlySet<string> {
  const ids = new Set<string>();
  if (REPOSITORY_ID.test(name)) ids.add(name.toLowerCase());
  for (const url of [license.url, ...sources.map((source) => source.url)]) {
    const id = url === null ? undefined : ofAddress(url);
    if (id !== undefined) ids.add(id);
  }
  return ids;
}

function ofAddress(address: string): string | undefined {
  if (!URL.canParse(address)) return undefined;
  const { hostname, pathname } = new URL(address);
  const [owner = '', name = ''] = pathname.slice(1).split('/');
  if (hostname !== HUB || NO_OWNERS.includes(owner)) return undefined;
  const id = `${owner}/${name}`;
  return REPOSITORY_ID.test(id) ? id.toLowerCase() : undefined;
}

/** The listings of each repository, looked through once for all names that are asked for. */
export class ListedRepositories {
  readonly #listings = new Map<string, Listing[]>();

  constructor(listings: readonly IndexedListing[]) {
    for (const { listing } of listings) {
      for (const id of repositoryIdsOf(listing)) {
        const known = this.#listings.get(id);
        if (known) known.push(listing);
        else this.#listings.set(id, [listing]);
      }
    }
  }

  /**
   * The one listing of a repository: of those on the same channel, otherwise of all. With none or several nobody knows
   * which one is meant.
   */
  listingOf(name: string, channel: string): ListingId | undefined {
    const all = this.#listings.get(name.toLowerCase()) ?? [];
    const here = all.filter((listing) => listing.channel === channel);
    const [only, ...others] = here.length > 0 ? here : all;
    return others.length === 0 ? only?.id : undefined;
  }
}
