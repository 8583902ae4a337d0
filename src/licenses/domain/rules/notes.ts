import { termsOf } from '../listing-index.js';
import { hasTerm, type ListingRule, nameOf } from './rule.js';

/** Pending suits are not terms, but counsel wants to see them beside the terms. */
export const litigation: ListingRule = {
  concerns: hasTerm('litigation'),
  check: (subject, _facts, report) => {
    for (const term of termsOf(subject.entry, 'litigation')) {
      report.finding({
        ruleId: 'litigation',
        severity: 'note',
        subject,
        term,
        fact: { name: 'litigation', value: subject.entry.listing.vendor },
        message: `${nameOf(subject)}: ${term.paraphrase}`,
        howToFix: 'Have counsel weigh the risk.',
      });
    }
  },
};

/** A tool that only plays a model: allowed, and never something to publish. */
export const testOutput: ListingRule = {
  concerns: hasTerm('test-output'),
  check: (subject, _facts, report) => {
    for (const term of termsOf(subject.entry, 'test-output')) {
      report.finding({
        ruleId: 'test-output',
        severity: 'note',
        subject,
        term,
        fact: { name: 'lineage', value: subject.entry.listing.id },
        message: `${nameOf(subject)}: ${term.paraphrase}`,
        howToFix: 'Run the pipeline with a live key to make something for publication.',
      });
    }
  },
};

/** A permission that the licensor can take back is weaker than one that it cannot: counsel plans for it. */
export const revocable: ListingRule = {
  concerns: hasTerm('revocable'),
  check: (subject, _facts, report) => {
    for (const term of termsOf(subject.entry, 'revocable')) {
      report.finding({
        ruleId: 'revocable',
        severity: 'note',
        subject,
        term,
        fact: { name: 'lineage', value: subject.entry.listing.id },
        message: `${nameOf(subject)}: ${term.paraphrase}`,
        howToFix: 'Have counsel weigh what happens to works in use when the license ends.',
      });
    }
  },
};
