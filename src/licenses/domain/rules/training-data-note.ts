import { type IndexedListing } from '../listing-index.js';
import { trainingFacts } from '../training-data.js';
import { type PreparedFinding, type StandingRule } from './rule.js';

/**
 * What is known of the material a model learnt from, in every decision and said in full: counsel asks it first. It
 * informs; what disclosure a company requires is its policy.
 */
export const trainingDataNote: StandingRule = (entry) =>
  entry.listing.access === 'code' ? [] : [disclosureNote(entry), ...litigationNotes(entry)];

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
