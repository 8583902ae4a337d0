import { termsOf } from '../listing-index.js';
import { holdsOnPlan } from './agreements.js';
import { hasTerm, type ListingRule, nameOf, restrictionSeverity } from './rule.js';

/**
 * Words that have to stand beside the work. What is owed only when weights are handed on is an obligation and no
 * finding: making a work hands on nothing.
 */
export const attribution: ListingRule = {
  concerns: hasTerm('attribution-required'),
  check: (subject, prepared, report) => {
    const { facts } = prepared;
    if (facts.attributionPlanned === 'yes') return;
    for (const term of termsOf(subject.entry, 'attribution-required')) {
      if (term.when === 'on-distribution-of-weights') continue;
      const nothingShown = term.when === 'on-display-or-product' && facts.purpose === 'internal-evaluation';
      const holds = holdsOnPlan(term.plans, subject, prepared);
      if (nothingShown || holds === 'no') continue;
      const refused = facts.attributionPlanned === 'no';
      report.finding({
        ruleId: 'attribution',
        severity: refused && holds === 'yes' ? restrictionSeverity(term) : 'review',
        subject,
        term,
        fact: { name: 'attributionPlanned', value: facts.attributionPlanned },
        message: `${nameOf(subject)}: the license demands attribution, and ${refused ? 'none is planned' : 'it is not known whether it is planned'}.`,
        howToFix: `Plan the attribution${term.text === null ? '' : ` ("${term.text}")`} and state attributionPlanned, or choose another model.`,
      });
    }
  },
};
