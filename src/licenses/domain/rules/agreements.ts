import { type EngineVersion, isSince } from '../engine-version.js';
import { type Subject } from '../expand-lineage.js';
import { termsOf } from '../listing-index.js';
import { type RunFacts } from '../run-facts.js';
import { type TermOf } from '../terms.js';
import { type ThreeValued } from '../three-valued.js';
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
      const stated = plansOf(subject, facts);
      const needed = planNames(term.plans, facts.version);
      const fitting = stated.filter((plan) => needed.includes(plan)).length;
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
function plansOf({ entry }: Subject, { facts, version }: PreparedFacts): readonly string[] {
  const { id } = entry.listing;
  const own = facts.agreements.filter(({ listingId, kind }) => listingId === id && kind === 'plan');
  return [
    ...planNames(
      own.flatMap(({ plan }) => plan ?? []),
      version,
    ),
  ].sort();
}

/** As they are compared. Earlier rules took "pro " for another plan than "pro". */
function planNames(plans: readonly string[], version: EngineVersion): readonly string[] {
  if (!isSince('2.5.0', version)) return plans;
  return plans.map((plan) => plan.normalize('NFKC').trim().replaceAll(/\s+/g, ' ').toLowerCase());
}

/**
 * Does what a text says of some plans hold for this use? A plan that no text which was read names may be one of them under
 * another name: it leaves that open, as no plan at all does.
 *
 * @param plans null or undefined: of all
 */
export function holdsOnPlan(
  plans: readonly string[] | null | undefined,
  subject: Subject,
  prepared: PreparedFacts,
): ThreeValued {
  if (plans === null || plans === undefined) return 'yes';
  const stated = plansOf(subject, prepared);
  if (stated.length === 0) return 'unknown';
  const limited = planNames(plans, prepared.version);
  if (stated.some((plan) => limited.includes(plan))) return 'yes';
  const named = namedPlans(subject, prepared.version);
  return stated.every((plan) => named.includes(plan)) || !isSince('2.5.0', prepared.version)
    ? 'no'
    : 'unknown';
}

function namedPlans({ entry }: Subject, version: EngineVersion): readonly string[] {
  // Else a mail that mentions a plan would take it out of the limits.
  const read = entry.listing.terms.filter(({ verified }) => verified === 'primary');
  const all = read.flatMap((term) => ('plans' in term ? (term.plans ?? []) : []));
  return planNames(all, version);
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
