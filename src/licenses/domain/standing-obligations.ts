import { citeTerm } from './cite-term.js';
import { type Obligation, type ObligationKind } from './finding.js';
import { type Listing } from './listing.js';
import { type Term, type TermKind, type TermOf } from './terms.js';

interface Duty {
  readonly kind: ObligationKind;
  readonly due: Obligation['due'];
}

/** Terms whose words are the duty. */
const DUTIES: Partial<Record<TermKind, Duty>> = {
  'output-training-restriction': { kind: 'no-training-on-outputs', due: 'always' },
  'notice-required': { kind: 'keep-notices', due: 'on-distribution-of-model' },
  'disclosure-preserve': { kind: 'keep-marks', due: 'always' },
  'flow-down': { kind: 'flow-down', due: 'on-distribution-of-model' },
  'derivative-same-license': { kind: 'same-license-for-derivatives', due: 'on-distribution-of-model' },
  'acceptable-use-policy': { kind: 'acceptable-use', due: 'at-use' },
  'use-restriction': { kind: 'acceptable-use', due: 'at-use' },
  'licensee-indemnifies': { kind: 'indemnify-licensor', due: 'always' },
  'usage-reporting': { kind: 'usage-reporting', due: 'always' },
  'test-output': { kind: 'not-for-publication', due: 'always' },
};

const LABEL_SCOPE: Readonly<Record<TermOf<'output-label-required'>['when'], string>> = {
  'public-placement': 'wherever it is placed in public',
  'any-context': 'wherever it is passed on',
  'where-law-requires': 'wherever the law requires it',
  'where-law-or-platform-requires': 'wherever the law or the platform requires it',
};

export function labelScope(term: TermOf<'output-label-required'>): string {
  return LABEL_SCOPE[term.when];
}

/**
 * What the use of a listing always brings with it. Depends on the listing alone, so it is computed when the registry is
 * indexed and not at each decision.
 */
export function standingObligations(listing: Listing): readonly Obligation[] {
  return listing.terms.flatMap((term) => {
    const duty = dutyOf(term, listing);
    if (duty === undefined) return [];
    const { due, kind, text } = duty;
    // In the order of the names, which outcome-json.ts relies on.
    return [{ due, kind, listingId: listing.id, term: citeTerm(listing, term), text }];
  });
}

function dutyOf(term: Term, listing: Listing): (Duty & { readonly text: string }) | undefined {
  const name = `${listing.name} (${listing.id})`;
  if (term.kind === 'output-label-required') {
    const text = `Say that the work is made by a machine, ${labelScope(term)} (${name}).`;
    return { kind: 'label-output', due: 'on-publication', text };
  }
  if (term.kind === 'content-filter-or-review') {
    const how = term.reviewSuffices ? 'Filter the output or have it reviewed' : 'Filter the output';
    const text = `${how} for unlawful and infringing content before it is distributed (${name}).`;
    return { kind: 'filter-or-review', due: 'before-publication', text };
  }
  if (term.kind === 'attribution-required') {
    const due = term.when === 'on-distribution-of-weights' ? 'on-distribution-of-model' : 'on-publication';
    const words = term.text === null ? '' : ` Words: "${term.text}".`;
    return { kind: 'attribution', due, text: `${name}: ${term.paraphrase}${words}` };
  }
  if (term.kind === 'territory-exclusion') {
    // Who calls a hosted model does not run the weights.
    if (term.appliesTo === 'outputs' || listing.access === 'api') return undefined;
    return {
      kind: 'place-of-use',
      due: 'at-use',
      text: `Do not run ${name} in ${term.countries.join(', ')}.`,
    };
  }
  const duty = DUTIES[term.kind];
  return duty && { ...duty, text: `${name}: ${term.paraphrase}` };
}
