import { isSince } from '../engine-version.js';
import { type Subject } from '../expand-lineage.js';
import { termsOf } from '../listing-index.js';
import { type RunFacts } from '../run-facts.js';
import { type TermOf } from '../terms.js';
import { exceeds } from './cap.js';
import { hasTerm, type ListingRule, nameOf, type PreparedFacts, restrictionSeverity } from './rule.js';
import { overlap } from './territory.js';

/** Some licenses begin only with an entry in the licensor's list. */
export const registration: ListingRule = {
  concerns: hasTerm('registration-required'),
  check: (subject, { facts, gainful }, report) => {
    if (!gainful) return;
    const { id } = subject.entry.listing;
    for (const term of termsOf(subject.entry, 'registration-required')) {
      if (facts.agreements.some(({ listingId, kind }) => listingId === id && kind === 'registration'))
        continue;
      report.finding({
        ruleId: 'registration',
        severity: 'review',
        subject,
        term,
        fact: { name: 'agreements', value: null },
        message: `${nameOf(subject)}: commercial use begins with a registration, and none is stated.`,
        howToFix: 'Register with the licensor and state the registration in "agreements".',
      });
    }
  },
};

/** Some rights come only with a plan. */
export const planTier: ListingRule = {
  concerns: hasTerm('plan-tier-required'),
  check: (subject, facts, report) => {
    for (const term of termsOf(subject.entry, 'plan-tier-required')) {
      if (!conditionCanApply(term, subject, facts)) continue;
      const stated = plansOf(subject, facts.facts);
      const fitting = stated.filter((plan) => term.plans.includes(plan)).length;
      // With several plans nobody knows under which one was generated, unless all of them will do.
      const someOnly = isSince('2.2.0', facts.version) && fitting > 0 && fitting < stated.length;
      if (fitting > 0 && !someOnly) continue;
      const plans = term.plans.join(', ');
      const none = stated.length === 0;
      report.finding({
        ruleId: 'plan-tier',
        severity:
          none || someOnly || conditionIsUncertain(term, subject, facts)
            ? 'review'
            : restrictionSeverity(term),
        subject,
        term,
        fact: { name: 'agreements', value: none ? null : stated },
        message:
          `${nameOf(subject)}: this use needs one of these plans: ${plans}; ` +
          (none ? 'no plan is stated.' : `stated is ${stated.join(', ')}.`),
        howToFix: `Subscribe to ${plans} before generating, and state the plan in "agreements".`,
      });
    }
  },
};

/** The plans stated for this listing, sorted. */
export function plansOf({ entry }: Subject, { agreements }: RunFacts): readonly string[] {
  const { id } = entry.listing;
  const own = agreements.filter(({ listingId, kind }) => listingId === id && kind === 'plan');
  return own.flatMap(({ plan }) => (plan === null ? [] : [plan])).sort();
}

function conditionCanApply(
  term: TermOf<'plan-tier-required'>,
  { entry }: Subject,
  facts: PreparedFacts,
): boolean {
  if (term.onlyInCountries !== null) {
    const { certain, doubtful } = overlap(facts.audience, entry.territories.get(term), facts.version);
    if (certain.length === 0 && doubtful.length === 0) return false;
  }
  const revenue = leastRevenue(facts);
  return (
    term.onlyAboveRevenueUsd === null ||
    revenue === 'unknown' ||
    exceeds(revenue, term.onlyAboveRevenueUsd, 'exclusive')
  );
}

/** True when it is open whether the condition applies at all; then a wrong plan cannot deny yet. */
function conditionIsUncertain(
  term: TermOf<'plan-tier-required'>,
  { entry }: Subject,
  { audience, facts, version }: PreparedFacts,
): boolean {
  if (term.onlyAboveRevenueUsd !== null && facts.organizationRevenueUsd === 'unknown') return true;
  return (
    term.onlyInCountries !== null &&
    overlap(audience, entry.territories.get(term), version).certain.length === 0
  );
}

/** A product earns no more than its company, whatever was said of the company. */
function leastRevenue({ facts, version }: PreparedFacts): RunFacts['organizationRevenueUsd'] {
  const { organizationRevenueUsd: entity, productRevenueUsd: product } = facts;
  if (entity === 'unknown' || product === 'unknown' || !isSince('2.2.0', version)) return entity;
  return Math.max(entity, product);
}
