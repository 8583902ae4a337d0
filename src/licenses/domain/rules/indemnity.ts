import { type FactValue } from '../finding.js';
import { type IndemnityOpen, type IndemnityStatus, notOffered, statusOf } from '../indemnity-status.js';
import { type IndexedListing } from '../listing-index.js';
import { type ListingRule, type PreparedFinding, type StandingRule } from './rule.js';

// In words what `indemnityOf` finds. It informs; whether an indemnity is needed is policy.

/** What a vendor does not offer, and what it may offer, depends on the listing alone. */
export const noIndemnity: StandingRule = (entry) => {
  const { access, indemnity } = entry.listing;
  if (access === 'code' || indemnity.offered === 'yes') return [];
  return [noteOf(notOffered(entry.listing.id, indemnity.offered), entry)];
};

/** What is offered may be lost at any later step of the lineage. */
export const offeredIndemnity: ListingRule = {
  concerns: ({ listing }) => listing.indemnity.offered === 'yes',
  check: (subject, { facts, version }, report, lineage) => {
    report.prepared(subject, noteOf(statusOf(subject, lineage, facts, version), subject.entry));
  },
};

function noteOf(status: IndemnityStatus, entry: IndexedListing): PreparedFinding {
  return {
    ruleId: 'indemnity',
    severity: 'note',
    term: null,
    cited: entry.citedIndemnity,
    fact: { name: 'indemnity', value: factOf(status) },
    message: `${entry.label}: ${answer(status, entry.listing.indemnity.conditions)}`,
    howToFix: FIX,
  };
}

const FIX =
  'If an indemnity is needed, keep the output of an indemnified model as it was returned, and state what is open.';

const WORDS: Readonly<Record<IndemnityOpen, string>> = {
  'output-modified': 'the output is edited',
  'combined-with-other-products': 'the output is combined with or changed by products of others',
  'safety-disabled': 'safety features are off',
  'input-without-right': 'an input comes without a proven right',
  'trademark-use': 'the output is used as a trade mark',
  'known-infringement': 'somebody has complained of an infringement',
  'fine-tuned-on-unlicensed-data': 'the model is tuned on data without a license',
  'preview-version': 'the feature is a preview',
  'not-reviewed-by-vendor': 'the vendor has not reviewed the image',
  'third-party-offering': 'it is an offering of a third party',
  'contract-does-not-link': 'no contract links the indemnity',
  'offer-not-known': 'whether the vendor offers one',
  'terms-in-force-not-read': 'what the terms in force say of it',
};

function factOf({ result, lostBecause, open }: IndemnityStatus): FactValue {
  return [result, ...lostBecause, ...open];
}

function answer({ result, lostBecause, open }: IndemnityStatus, conditions: readonly string[]): string {
  switch (result) {
    case 'none':
      return 'the vendor gives no indemnity.';
    case 'lost':
      return `its indemnity is lost: ${inWords(lostBecause)}.`;
    case 'intact':
      return `its indemnity holds. Conditions: ${conditions.join(' ')}`;
    case 'unknown':
      return open.includes('offer-not-known')
        ? 'no indemnity was found in its terms.'
        : `an indemnity is offered; whether it holds is open: ${inWords(open)}.`;
  }
}

function inWords(causes: readonly IndemnityOpen[]): string {
  return causes.map((cause) => WORDS[cause]).join('; ');
}
