import { termsOf } from '../listing-index.js';
import { type RunFacts } from '../run-facts.js';
import { labelScope } from '../standing-obligations.js';
import { type TermOf } from '../terms.js';
import { and, not, or, type ThreeValued } from '../three-valued.js';
import { hasTerm, type ListingRule, nameOf, restrictionSeverity } from './rule.js';

/** The license itself demands that viewers are told, beyond what the law demands. */
export const outputLabel: ListingRule = {
  concerns: hasTerm('output-label-required'),
  check: (subject, { facts }, report) => {
    if (facts.labelPlanned === 'yes') return;
    for (const term of termsOf(subject.entry, 'output-label-required')) {
      if (term.when === 'public-placement' && facts.purpose === 'internal-evaluation') continue;
      // Whether the law or a platform demands a label for this work is a question for a person.
      const unconditional = term.when === 'public-placement' || term.when === 'any-context';
      const refused = facts.labelPlanned === 'no';
      report.finding({
        ruleId: 'output-label',
        severity: refused && unconditional ? restrictionSeverity(term) : 'review',
        subject,
        term,
        fact: { name: 'labelPlanned', value: facts.labelPlanned },
        message:
          `${nameOf(subject)}: the license demands a label ${labelScope(term)}, and ` +
          (refused ? 'none is planned.' : 'it is not known whether one is planned.'),
        howToFix: 'Plan the label and state labelPlanned, or choose another model.',
      });
    }
  },
};

/** The license demands that unlawful output is caught: by a filter or, mostly, by a review. */
export const filterOrReview: ListingRule = {
  concerns: hasTerm('content-filter-or-review'),
  check: (subject, { facts }, report) => {
    for (const term of termsOf(subject.entry, 'content-filter-or-review')) {
      const caught = isCaught(term, facts);
      if (caught === 'yes') continue;
      const either = term.reviewSuffices ? 'a content filter or a review' : 'a content filter';
      report.finding({
        ruleId: 'filter-or-review',
        severity: caught === 'no' ? restrictionSeverity(term) : 'review',
        subject,
        term,
        fact: factOf(term, facts),
        message:
          `${nameOf(subject)}: the license demands ${either}, and ` +
          (caught === 'no' ? 'none is planned.' : 'it is not known whether it is planned.'),
        howToFix: term.reviewSuffices
          ? 'Plan a review of the output (humanReviewPlanned) or have a content filter confirmed (contentFilterPlanned).'
          : 'Have a content filter confirmed (contentFilterPlanned).',
      });
    }
  },
};

function isCaught({ reviewSuffices }: TermOf<'content-filter-or-review'>, facts: RunFacts): ThreeValued {
  return reviewSuffices
    ? or(facts.contentFilterPlanned, facts.humanReviewPlanned)
    : facts.contentFilterPlanned;
}

/** The fact that would have to change: a review that was ruled out leaves only the filter. */
function factOf({ reviewSuffices }: TermOf<'content-filter-or-review'>, facts: RunFacts) {
  const byReview =
    reviewSuffices && and(not(facts.contentFilterPlanned), not(facts.humanReviewPlanned)) !== 'yes';
  const name =
    byReview || (reviewSuffices && facts.contentFilterPlanned === 'no')
      ? 'humanReviewPlanned'
      : 'contentFilterPlanned';
  return { name, value: facts[name] };
}
