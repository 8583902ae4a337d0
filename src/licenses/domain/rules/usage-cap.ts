import { termsOf } from '../listing-index.js';
import { type RunFacts } from '../run-facts.js';
import { type TermOf } from '../terms.js';
import { capState, type Figures } from './cap.js';
import { hasTerm, type ListingRule, nameOf, restrictionSeverity } from './rule.js';

type UsageCap = TermOf<'usage-cap'>;

/**
 * Users or visits. The facts hold the strongest month, so a figure within the cap is within it in whatever month the
 * text measures.
 */
export const usageCap: ListingRule = {
  concerns: hasTerm('usage-cap'),
  check: (subject, { facts, version }, report) => {
    for (const term of termsOf(subject.entry, 'usage-cap')) {
      const { amount, boundary, scope } = term;
      const state = capState({ amount, boundary, disputed: false, scope }, figuresOf(term, facts), version);
      if (state === 'within') continue;
      const fact = factOf(term);
      const cap = `${boundary === 'inclusive' ? 'at least' : 'more than'} ${amount.toLocaleString('en-US')}`;
      const what = term.metric === 'visits-per-month' ? 'visits a month' : 'monthly active users';
      report.finding({
        ruleId: 'usage-cap',
        severity: state === 'over' ? restrictionSeverity(term) : 'review',
        subject,
        term,
        fact: { name: fact, value: valueOf(fact, term, facts) },
        message:
          `${nameOf(subject)}: the license does not cover ${cap} ${what}` +
          (state === 'over' ? ', and there are.' : '; the number is not known.'),
        howToFix:
          state === 'over'
            ? 'Obtain a license from the licensor, or choose another model.'
            : `State ${fact}${monthWords(term)}.`,
      });
    }
  },
};

/** The users of the month that the text fixes, where they are stated; else those of the strongest month. */
function usersFor({ measuredMonth }: UsageCap, facts: RunFacts) {
  const fixed = facts.usersByMonth.find(({ month }) => month === measuredMonth);
  return fixed ?? facts;
}

function valueOf(fact: ReturnType<typeof factOf>, term: UsageCap, facts: RunFacts) {
  return fact === 'monthlyVisits' ? facts.monthlyVisits : usersFor(term, facts)[fact];
}

function monthWords({ measuredMonth }: UsageCap): string {
  return measuredMonth === undefined
    ? ''
    : `, or in usersByMonth the users of ${measuredMonth}, which alone count`;
}

function factOf({ metric, scope }: UsageCap) {
  if (metric === 'visits-per-month') return 'monthlyVisits';
  return scope === 'entity+affiliates' ? 'monthlyActiveUsersWithAffiliates' : 'monthlyActiveUsers';
}

function figuresOf(term: UsageCap, facts: RunFacts): Figures {
  const { metric } = term;
  if (metric === 'visits-per-month') {
    const visits = facts.monthlyVisits;
    return { entity: visits, withAffiliates: visits, product: visits };
  }
  const users = usersFor(term, facts);
  const { monthlyActiveUsers: entity, monthlyActiveUsersWithAffiliates: withAffiliates } = users;
  return { entity, withAffiliates, product: 'unknown' };
}
