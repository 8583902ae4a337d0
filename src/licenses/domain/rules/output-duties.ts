import { termsOf } from '../listing-index.js';
import { labelScope } from '../standing-obligations.js';
import { type ListingRule, nameOf } from './rule.js';

/** The license itself demands that viewers are told, beyond what the law demands. */
export const outputLabel: ListingRule = (subject, { facts }, report) => {
  for (const term of termsOf(subject.entry, 'output-label-required')) {
    const staysInside = term.when === 'public-placement' && facts.purpose === 'internal-evaluation';
    if (facts.labelPlanned !== 'no' || staysInside) continue;
    report.finding({
      ruleId: 'output-label',
      severity: 'review',
      subject,
      term,
      fact: { name: 'labelPlanned', value: 'no' },
      message: `${nameOf(subject)}: the license demands a label ${labelScope(term)}, and none is planned.`,
      howToFix: 'Plan the label, or choose another model.',
    });
  }
};

/** The license demands that unlawful output is caught: by a filter or, mostly, by a review. */
export const filterOrReview: ListingRule = (subject, { facts }, report) => {
  for (const term of termsOf(subject.entry, 'content-filter-or-review')) {
    if (facts.humanReviewPlanned !== 'no') continue;
    report.finding({
      ruleId: 'filter-or-review',
      severity: 'review',
      subject,
      term,
      fact: { name: 'humanReviewPlanned', value: 'no' },
      message: `${nameOf(subject)}: the license demands a content filter or a review, and no review is planned.`,
      howToFix: term.reviewSuffices
        ? 'Plan a review of the output, or have a content filter confirmed.'
        : 'Have a content filter confirmed.',
    });
  }
};
