import { termsOf } from '../listing-index.js';
import { type RunFacts } from '../run-facts.js';
import { type Boundary, type CapScope } from '../terms.js';
import { amountWords, type CapState, capState, type Figures } from './cap.js';
import { hasTerm, type ListingRule, nameOf, restrictionSeverity } from './rule.js';

const FACT_OF_SCOPE = {
  entity: 'organizationRevenueUsd',
  'entity+affiliates': 'organizationRevenueWithAffiliatesUsd',
  product: 'productRevenueUsd',
} as const satisfies Record<CapScope, keyof RunFacts>;

const SCOPE_WORDS: Readonly<Record<CapScope, string>> = {
  entity: 'the organization',
  'entity+affiliates': 'the organization with its affiliates',
  product: 'the products that use the output',
};

/** The free license of a company below a size. Boundary and scope are part of the term, not of this rule. */
export const revenueCap: ListingRule = {
  concerns: hasTerm('revenue-cap'),
  check: (subject, { facts, version }, report) => {
    for (const term of termsOf(subject.entry, 'revenue-cap')) {
      if (term.exempts.includes(facts.purpose)) continue;
      const { amountUsd: amount, boundary, boundaryDisputed: disputed, scope } = term;
      const state = capState({ amount, boundary, disputed, scope }, revenueFigures(facts), version);
      if (state === 'within') continue;
      report.finding({
        ruleId: 'revenue-cap',
        severity: state === 'over' ? restrictionSeverity(term) : 'review',
        subject,
        term,
        fact: { name: FACT_OF_SCOPE[scope], value: facts[FACT_OF_SCOPE[scope]] },
        message: `${nameOf(subject)}: ${messageOf(state, scope, capWords(amount, boundary))}`,
        howToFix: howToFix(state, scope),
      });
    }
  },
};

export function revenueFigures(facts: RunFacts): Figures {
  return {
    entity: facts.organizationRevenueUsd,
    withAffiliates: facts.organizationRevenueWithAffiliatesUsd,
    product: facts.productRevenueUsd,
  };
}

function capWords(amount: number, boundary: Boundary): string {
  const dollars = `USD ${amountWords(amount)}`;
  return boundary === 'inclusive' ? `reaches ${dollars}` : `exceeds ${dollars}`;
}

function messageOf(state: CapState, scope: CapScope, cap: string): string {
  const whose = SCOPE_WORDS[scope];
  if (state === 'over') return `the free license ends when the revenue of ${whose} ${cap}, and it does.`;
  if (state === 'at-disputed-amount')
    return `the revenue is exactly the cap, and the text contradicts itself there.`;
  return `the free license ends when the revenue of ${whose} ${cap}; that revenue is not known.`;
}

function howToFix(state: CapState, scope: CapScope): string {
  if (state === 'unknown') {
    const same = scope === 'entity+affiliates' ? ' (the same number if there are no affiliates)' : '';
    return `State ${FACT_OF_SCOPE[scope]}${same}.`;
  }
  return 'Obtain a paid license and have it recorded as a listing of its own, or choose another model.';
}
