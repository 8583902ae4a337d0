import { type FieldOfUse, type TermOf } from '../terms.js';
import { isSince } from '../engine-version.js';
import { termsOf } from '../listing-index.js';
import { plansOf } from './agreements.js';
import { hasTerm, type ListingRule, nameOf, restrictionSeverity } from './rule.js';

/** Some licenses stop at a medium: no broadcast, no film, no advertising outside the net. */
export const fieldOfUse: ListingRule = {
  concerns: hasTerm('field-of-use'),
  check: (subject, { facts, version }, report) => {
    for (const term of termsOf(subject.entry, 'field-of-use')) {
      const stated = plansOf(subject, facts);
      // A limit of the smaller plans does not bind who states only larger ones.
      if (term.plans !== null && stated.length > 0 && !stated.some((plan) => term.plans?.includes(plan)))
        continue;
      const planKnown = term.plans === null || stated.length > 0;
      const hits = facts.fieldsOfUse === 'unknown' ? 'unknown' : outside(term, facts.fieldsOfUse);
      // The only open fields, as somebody reports them, are open to nobody yet.
      const isReport = isSince('2.4.0', version) && term.value === 'yes' && term.verified !== 'primary';
      if (hits !== 'unknown' && hits.length === 0 && !isReport) continue;
      const certain = hits !== 'unknown' && hits.length > 0 && planKnown && term.value !== 'unknown';
      report.finding({
        ruleId: 'field-of-use',
        severity: certain ? restrictionSeverity(term) : 'review',
        subject,
        term,
        fact: { name: 'fieldsOfUse', value: hits },
        message:
          hits === 'unknown'
            ? `${nameOf(subject)}: the license depends on the medium, and the medium is not stated.`
            : hits.length === 0
              ? `${nameOf(subject)}: the media that the license covers are known from a report of it.`
              : `${nameOf(subject)}: the license does not cover ${hits.join(', ')}${certain ? '' : ', as far as is known'}.`,
        howToFix:
          hits === 'unknown' ? 'State fieldsOfUse.' : 'Use it in other media only, or choose another model.',
      });
    }
  },
};

/** `no` and `unknown` name fields that are closed or in doubt; `yes` names the only open ones. */
function outside(
  { value, fields }: TermOf<'field-of-use'>,
  used: readonly FieldOfUse[],
): readonly FieldOfUse[] {
  return used.filter((field) => fields.includes(field) !== (value === 'yes')).sort();
}
