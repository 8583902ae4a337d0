import { type IndexedListing } from '../listing-index.js';
import { trainingFacts } from '../training-data.js';
import { type ListingRule, type PreparedFinding } from './rule.js';

const NOTES = new WeakMap<IndexedListing, readonly PreparedFinding[]>();

/**
 * What is known of the material a model learnt from, in every decision and said in full: counsel asks it first. It
 * informs; what disclosure a company requires is its policy.
 */
export const trainingDataNote: ListingRule = {
  concerns: ({ listing }) => listing.access !== 'code',
  check: (subject, _facts, report) => {
    for (const note of notesOf(subject.entry)) report.prepared(subject, note);
  },
};

/** The words depend on the listing alone, so they are put together once. */
function notesOf(entry: IndexedListing): readonly PreparedFinding[] {
  const known = NOTES.get(entry);
  if (known) return known;
  const notes = [disclosureNote(entry), ...litigationNotes(entry)];
  NOTES.set(entry, notes);
  return notes;
}

const BASE = { ruleId: 'training-data', severity: 'note', term: null } as const;

function disclosureNote({ listing, label, citedTrainingData }: IndexedListing): PreparedFinding {
  const { disclosure, rightsBasis, optOuts } = trainingFacts(listing.trainingData);
  return {
    ...BASE,
    cited: citedTrainingData,
    fact: {
      name: 'trainingData',
      value: [`disclosure:${disclosure}`, `opt-outs:${optOuts}`, `rights:${rightsBasis}`],
    },
    message:
      `${label}: training data: disclosure ${disclosure}, rights ${rightsBasis}, ` +
      `reservations of rights holders ${optOuts}. ${listing.trainingData.summary}`,
    howToFix:
      "If your policy asks for more, choose a model whose vendor discloses more, or obtain the vendor's statement.",
  };
}

function litigationNotes({ listing, label, citedTrainingData }: IndexedListing): PreparedFinding[] {
  return (listing.trainingData.litigation ?? []).map(({ matter, note }) => ({
    ...BASE,
    ruleId: 'litigation',
    cited: citedTrainingData,
    fact: { name: 'trainingData.litigation', value: matter },
    message: `${label}: ${matter}: ${note}`,
    howToFix: 'Have counsel weigh the risk.',
  }));
}
