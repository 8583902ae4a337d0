import { type Listing } from './listing.js';
import { type Term, type Verification } from './terms.js';

/** Which texts the organization keeps. */
export interface KeptTexts {
  /** Is the text of its license kept, the one from which its terms were read? */
  isLicenseKept(listing: Listing): boolean;
  /** Was a text with this hash read, under whatever license? */
  isKept(textSha256: string): boolean;
}

const RANK: Readonly<Record<Verification, number>> = { primary: 2, secondary: 1, unverified: 0 };

/**
 * Whoever records a listing may say whatever they like: a fact with no text behind it is unknown. Behind a fact stands
 * the text of the license, or the text that its source names by hash, if the organization keeps it. Without one a
 * permission is `unknown`, what forbids or limits stays as a report, and a license whose text is not kept is not one in
 * force.
 */
export function withoutUnprovenFacts(
  listing: Listing,
  kept: KeptTexts,
): { readonly listing: Listing; readonly notes: readonly string[] } {
  const { license, terms, trainingData, indemnity, components } = listing;
  const isRead = kept.isLicenseKept(listing);
  const known = knownFrom(listing, kept, isRead);
  // A text that was superseded on a day still binds what was made before it.
  const unread = !isRead && (license.status === 'current' || license.supersededOn !== undefined);
  const proven: Listing = {
    ...listing,
    license: unread
      ? { ...license, status: 'unverified', statusReason: 'No text with the hash of this license is kept.' }
      : license,
    terms: mapped(terms, (term) => provenTerm(term, known(term.source))),
    components: mapped(components, (component) => withMark(component, known(component.source))),
    trainingData: provenTraining(trainingData, known),
    indemnity: provenIndemnity(indemnity, known(indemnity.source)),
  };
  const isSame = (Object.keys(proven) as (keyof Listing)[]).every((name) => proven[name] === listing[name]);
  if (isSame) return { listing, notes: [] };
  const doubted = terms.filter((term, at) => proven.terms[at] !== term).length;
  const notes =
    doubted === 0 && !unread
      ? []
      : [
          `no text of the license is kept: ${doubted} facts are taken as reported only, permissions as unknown`,
        ];
  return { listing: proven, notes };
}

/** The very list where nothing in it was changed. */
function mapped<Item>(items: Item[], change: (item: Item) => Item): Item[] {
  const changed = items.map(change);
  return changed.every((item, at) => item === items[at]) ? items : changed;
}

type MostKnown = (sourceId: string | null) => Verification;

/** That a vendor tells nothing need not be shown. */
function provenTraining(data: Listing['trainingData'], known: MostKnown): Listing['trainingData'] {
  const { rightsBasis, optOuts } = data;
  const marked = data.disclosure === 'none' ? data : withMark(data, known(data.source));
  const basis = rightsBasis && withMark(rightsBasis, known(rightsBasis.source));
  const reservations = optOuts && withMark(optOuts, known(optOuts.source));
  if (marked === data && basis === rightsBasis && reservations === optOuts) return data;
  return {
    ...marked,
    ...(basis === undefined ? {} : { rightsBasis: basis }),
    ...(reservations === undefined ? {} : { optOuts: reservations }),
  };
}

/**
 * How well a fact of a source can be known at most. A source that names no text of its own is the license itself where
 * it is the only one, or has the address of the license.
 */
function knownFrom({ license, sources }: Listing, kept: KeptTexts, isRead: boolean): MostKnown {
  const marks = new Map<string, Verification>();
  for (const source of sources) {
    const { textSha256, url } = source;
    const isLicense = sources.length === 1 || (url !== null && url === license.url);
    const isKept = textSha256 === undefined ? isLicense && isRead : kept.isKept(textSha256);
    marks.set(source.id, isKept ? source.verified : 'unverified');
  }
  return (sourceId) => (sourceId === null ? 'unverified' : (marks.get(sourceId) ?? 'unverified'));
}

function withMark<Fact extends { readonly verified: Verification }>(fact: Fact, most: Verification): Fact {
  return RANK[most] >= RANK[fact.verified] ? fact : { ...fact, verified: most };
}

function provenTerm(term: Term, most: Verification): Term {
  if (RANK[most] >= RANK[term.verified]) return term;
  if ('value' in term && term.value === 'yes') {
    // Its list is of the only media that are open. Without the `yes` it would read as the list of the closed ones.
    const saysMore = term.kind === 'field-of-use';
    return most === 'unverified' && !saysMore
      ? { ...term, value: 'unknown', verified: most }
      : { ...term, verified: most };
  }
  // What forbids or limits is a report of the text: enough to say no.
  return term.verified === 'primary' ? { ...term, verified: 'secondary' } : term;
}

/** Who says that there is none need show no text. */
function provenIndemnity(indemnity: Listing['indemnity'], most: Verification): Listing['indemnity'] {
  if (indemnity.offered === 'no') return indemnity;
  const marked = withMark(indemnity, most);
  return marked.verified === 'unverified' ? { ...marked, offered: 'unknown' } : marked;
}
