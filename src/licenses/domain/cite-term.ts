import { type CitedKind, type CitedTerm } from './finding.js';
import { type Listing } from './listing.js';
import { type Term, type Verification } from './terms.js';

// Members in the order of their names, which outcome-json.ts relies on.

/** A term with the place where it was read, for people. */
export function citeTerm(listing: Listing, term: Term): CitedTerm {
  const { id, kind, paraphrase, clause, verified } = term;
  return { clause, id, kind, paraphrase, source: sourceOf(listing, term.source), verified };
}

/** The text itself: for findings about its being in force. */
export function citeLicense(listing: Listing): CitedTerm {
  const { license } = listing;
  const { name: title, url, dateRead } = license;
  const verified: Verification = license.status === 'unverified' ? 'unverified' : 'primary';
  const source = { dateRead, title, url };
  return { clause: null, id: 'license', kind: 'license', paraphrase: license.statusReason, source, verified };
}

export function citeIndemnity(listing: Listing): CitedTerm {
  const { conditions, source, verified } = listing.indemnity;
  return citePart(listing, 'indemnity', conditions.join(' '), source, verified);
}

export function citeTrainingData(listing: Listing): CitedTerm {
  const { summary, source, verified } = listing.trainingData;
  return citePart(listing, 'training-data', summary, source, verified);
}

function citePart(
  listing: Listing,
  kind: CitedKind,
  paraphrase: string,
  source: string | null,
  verified: Verification,
): CitedTerm {
  return { clause: null, id: kind, kind, paraphrase, source: sourceOf(listing, source), verified };
}

function sourceOf(listing: Listing, id: string | null): CitedTerm['source'] {
  const { license } = listing;
  const source = listing.sources.find((candidate) => candidate.id === id);
  return {
    dateRead: source?.dateRead ?? license.dateRead,
    title: source?.title ?? license.name,
    url: source?.url ?? license.url,
  };
}
