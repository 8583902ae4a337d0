import { termsOf } from '../listing-index.js';
import { type StandingRule } from './rule.js';

/** Pending suits are not terms, but counsel wants to see them beside the terms. */
export const litigation: StandingRule = (entry) =>
  termsOf(entry, 'litigation').map((term) => ({
    ruleId: 'litigation',
    severity: 'note',
    term,
    fact: { name: 'litigation', value: entry.listing.vendor },
    message: `${entry.label}: ${term.paraphrase}`,
    howToFix: 'Have counsel weigh the risk.',
  }));

/** A tool that only plays a model: allowed, and never something to publish. */
export const testOutput: StandingRule = (entry) =>
  termsOf(entry, 'test-output').map((term) => ({
    ruleId: 'test-output',
    severity: 'note',
    term,
    fact: { name: 'lineage', value: entry.listing.id },
    message: `${entry.label}: ${term.paraphrase}`,
    howToFix: 'Run the pipeline with a live key to make something for publication.',
  }));

/** A permission that the licensor can take back is weaker than one that it cannot: counsel plans for it. */
export const revocable: StandingRule = (entry) =>
  termsOf(entry, 'revocable').map((term) => ({
    ruleId: 'revocable',
    severity: 'note',
    term,
    fact: { name: 'lineage', value: entry.listing.id },
    message: `${entry.label}: ${term.paraphrase}`,
    howToFix: 'Have counsel weigh what happens to works in use when the license ends.',
  }));
