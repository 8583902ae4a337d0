import { type CitedTerm } from './finding.js';
import { type Listing } from './listing.js';
import { type Term } from './terms.js';

/** A term with the place where it was read, for people. */
export function citeTerm(listing: Listing, term: Term): CitedTerm {
  const source = listing.sources.find(({ id }) => id === term.source);
  return {
    id: term.id,
    kind: term.kind,
    paraphrase: term.paraphrase,
    clause: term.clause,
    verified: term.verified,
    source: {
      title: source?.title ?? listing.license.name,
      url: source?.url ?? listing.license.url,
      dateRead: source?.dateRead ?? listing.license.dateRead,
    },
  };
}
