import { termsOf } from '../listing-index.js';
import { type ListingRule, nameOf } from './rule.js';

/** Pending suits are not terms, but counsel wants to see them beside the terms. */
export const litigation: ListingRule = (subject, _facts, report) => {
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
};

/** A tool that only plays a model: allowed, and never something to publish. */
export const testOutput: ListingRule = (subject, _facts, report) => {
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
};
