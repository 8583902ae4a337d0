import { type EngineVersion, isSince } from '../engine-version.js';
import { termsOf } from '../listing-index.js';
import { type RunFacts } from '../run-facts.js';
import { type TermOf } from '../terms.js';
import { amountWords, type Cap, type CapState, capState, type Figures } from './cap.js';
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
      const cap: Cap = { amount, boundary, disputed: false, scope };
      const state = stateOf(cap, term, facts, version);
      if (state === 'within') continue;
      const fact = factOf(term);
      const most = `${boundary === 'inclusive' ? 'at least' : 'more than'} ${amountWords(amount)}`;
      const what = term.metric === 'visits-per-month' ? 'visits a month' : 'monthly active users';
      report.finding({
        ruleId: 'usage-cap',
        severity: state === 'over' ? restrictionSeverity(term) : 'review',
        subject,
        term,
        fact: { name: fact, value: valueOf(fact, term, facts) },
        message:
          `${nameOf(subject)}: the license does not cover ${most} ${what}` +
          (state === 'over' ? ', and there are.' : '; the number is not known.'),
        howToFix:
          state === 'over'
            ? 'Obtain a license from the licensor, or choose another model.'
            : `State ${fact}${monthWords(term)}.`,
      });
    }
  },
};

/** Any month may count where the text fixes none: one that is stated beside the strongest can be stronger. */
function stateOf(cap: Cap, term: UsageCap, facts: RunFacts, version: EngineVersion): CapState {
  const state = capState(cap, figuresOf(term, facts), version);
  const isFixed = term.measuredMonth !== undefined || term.metric === 'visits-per-month';
  if (isFixed || !isSince('2.3.0', version)) return state;
  const months = facts.usersByMonth.map((users) => capState(cap, figuresOfUsers(users), version));
  return months.includes('over') ? 'over' : state;
}

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
  return figuresOfUsers(usersFor(term, facts));
}

function figuresOfUsers(
  users: Pick<RunFacts, 'monthlyActiveUsers' | 'monthlyActiveUsersWithAffiliates'>,
): Figures {
  const { monthlyActiveUsers: entity, monthlyActiveUsersWithAffiliates: withAffiliates } = users;
  return { entity, withAffiliates, product: 'unknown' };
}
