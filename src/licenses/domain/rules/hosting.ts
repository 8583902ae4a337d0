import { isSince } from '../engine-version.js';
import { permission } from './commercial-use.js';
import { hasTerm, type ListingRule, nameOf } from './rule.js';

/** Serving a model to outsiders is another act than using it; only licenses that speak of it are asked. */
export const hosting: ListingRule = {
  concerns: hasTerm('hosting-for-others'),
  check: (subject, { facts, version }, report) => {
    if (subject.entry.listing.access === 'api' || facts.hosting === 'own-use') return;
    const { value, term } = permission(subject.entry, 'hosting-for-others', version);
    const isReport = isSince('2.4.0', version) && term?.verified === 'secondary';
    if (term === null || (value === 'yes' && !isReport)) return;
    const certain = value === 'no' && facts.hosting === 'served-to-others';
    report.finding({
      ruleId: 'hosting-for-others',
      severity: certain ? 'deny' : 'review',
      subject,
      term,
      fact: { name: 'hosting', value: facts.hosting },
      message: certain
        ? `${nameOf(subject)}: the model may not be served to people outside the organization.`
        : `${nameOf(subject)}: the license limits serving the model to others, and it is not settled whether that happens.`,
      howToFix: 'State hosting: "own-use" if only your own people use it, or choose another model.',
    });
  },
};
