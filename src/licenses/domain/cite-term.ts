import { type CitedKind, type CitedTerm } from './finding.js';
import { type Listing } from './listing.js';
import { type Term, type Verification } from './terms.js';

/** A term with the place where it was read, for people. */
export function citeTerm(listing: Listing, term: Term): CitedTerm {
  const { id, kind, paraphrase, clause, verified } = term;
  return { id, kind, paraphrase, clause, verified, source: sourceOf(listing, term.source) };
}

/** The text itself: for findings about its being in force. */
export function citeLicense(listing: Listing): CitedTerm {
  const { license } = listing;
  const { name: title, url, dateRead } = license;
  const verified: Verification = license.status === 'unverified' ? 'unverified' : 'primary';
  const source = { title, url, dateRead };
  return { id: 'license', kind: 'license', paraphrase: license.statusReason, clause: null, verified, source };
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
  return { id: kind, kind, paraphrase, clause: null, verified, source: sourceOf(listing, source) };
}

function sourceOf(listing: Listing, id: string | null): CitedTerm['source'] {
  const { license } = listing;
  const source = listing.sources.find((candidate) => candidate.id === id);
  return {
    title: source?.title ?? license.name,
    url: source?.url ?? license.url,
    dateRead: source?.dateRead ?? license.dateRead,
  };
}
