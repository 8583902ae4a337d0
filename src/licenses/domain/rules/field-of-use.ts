import { type FieldOfUse, type TermOf } from '../terms.js';
import { type EngineVersion, isSince } from '../engine-version.js';
import { termsOf } from '../listing-index.js';
import { holdsOnPlan } from './agreements.js';
import { hasTerm, type ListingRule, nameOf, restrictionSeverity } from './rule.js';

/** Some licenses stop at a medium: no broadcast, no film, no advertising outside the net. */
export const fieldOfUse: ListingRule = {
  concerns: hasTerm('field-of-use'),
  check: (subject, prepared, report) => {
    const { facts, version } = prepared;
    for (const term of termsOf(subject.entry, 'field-of-use')) {
      const holds = holdsOnPlan(term.plans, subject, prepared);
      if (holds === 'no') continue;
      const hits = facts.fieldsOfUse === 'unknown' ? 'unknown' : outside(term, facts.fieldsOfUse, version);
      // The only open fields, as somebody reports them, are open to nobody yet.
      const isReport = isSince('2.4.0', version) && term.value === 'yes' && term.verified !== 'primary';
      if (hits !== 'unknown' && hits.length === 0 && !isReport) continue;
      const certain = hits !== 'unknown' && hits.length > 0 && holds === 'yes' && term.value !== 'unknown';
      report.finding({
        ruleId: 'field-of-use',
        severity: certain ? restrictionSeverity(term) : 'review',
        subject,
        term,
        fact: { name: 'fieldsOfUse', value: hits },
        message: `${nameOf(subject)}: ${wordsFor(hits, certain)}`,
        howToFix:
          hits === 'unknown' ? 'State fieldsOfUse.' : 'Use it in other media only, or choose another model.',
      });
    }
  },
};

function wordsFor(hits: readonly FieldOfUse[] | 'unknown', certain: boolean): string {
  if (hits === 'unknown') return 'the license depends on the medium, and the medium is not stated.';
  if (hits.length === 0) return 'the media that the license covers are known from a report of it.';
  return `the license does not cover ${hits.join(', ')}${certain ? '' : ', as far as is known'}.`;
}

/**
 * `no` names fields that are closed, `yes` the only open ones. Which of the two an `unknown` names nobody knows, so every
 * field is in doubt; earlier rules took it for the closed ones.
 */
function outside(
  { value, fields }: TermOf<'field-of-use'>,
  used: readonly FieldOfUse[],
  version: EngineVersion,
): readonly FieldOfUse[] {
  if (value === 'unknown' && isSince('2.5.0', version)) return [...used].sort();
  return used.filter((field) => fields.includes(field) !== (value === 'yes')).sort();
}
