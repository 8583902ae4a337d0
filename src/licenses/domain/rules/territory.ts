import { type Territory } from '../countries.js';
import { type EngineVersion, isSince } from '../engine-version.js';
import { type Subject } from '../expand-lineage.js';
import { type FactValue } from '../finding.js';
import { termsOf } from '../listing-index.js';
import { type TermOf } from '../terms.js';
import {
  hasTerm,
  type ListingRule,
  nameOf,
  type PreparedFacts,
  type Report,
  restrictionSeverity,
} from './rule.js';

type Exclusion = TermOf<'territory-exclusion'>;

/** Which of the audience's countries lie in a territory. The whole world contains every country. */
export interface Overlap {
  readonly certain: readonly string[];
  readonly doubtful: readonly string[];
}

const NOWHERE: Overlap = { certain: [], doubtful: [] };

export function overlap(
  audience: 'worldwide' | readonly string[],
  given: Territory | undefined,
  version: EngineVersion,
): Overlap {
  if (!given) return NOWHERE;
  const meant = isSince('2.2.0', version) ? given.misnamed : undefined;
  const isCertain = (country: string) => given.certain.has(country) || meant?.certain.has(country) === true;
  const isDoubtful = (country: string) =>
    !isCertain(country) && (given.doubtful.has(country) || meant?.doubtful.has(country) === true);
  if (audience === 'worldwide') {
    const all = [...new Set([...given.certain, ...(meant?.certain ?? [])])];
    if (all.length > 0 || meant === undefined) return { certain: all.sort(), doubtful: [] };
    return { certain: [], doubtful: [...meant.doubtful].sort() };
  }
  const certain = audience.filter(isCertain);
  const doubtful = audience.filter(isDoubtful);
  if (certain.length === 0 && doubtful.length === 0) return NOWHERE;
  return { certain: certain.sort(), doubtful: doubtful.sort() };
}

/**
 * A license that ends at a border binds the place where the work is shown, not the place where it was made:
 * generating in the United States does not open Germany.
 */
export const territory: ListingRule = {
  concerns: hasTerm('territory-exclusion'),
  check: (subject, facts, report) => {
    for (const term of termsOf(subject.entry, 'territory-exclusion')) {
      if (term.appliesTo === 'outputs') outputs(term, subject, facts, report);
      else if (subject.entry.listing.access !== 'api') weights(term, subject, facts, report);
    }
  },
};

function outputs(term: Exclusion, subject: Subject, facts: PreparedFacts, report: Report): void {
  const { audience, version } = facts;
  const { certain, doubtful } = overlap(audience, subject.entry.territories.get(term), version);
  if (certain.length === 0 && doubtful.length === 0) return;
  const shown: FactValue = audience === 'worldwide' ? 'worldwide' : [...certain, ...doubtful].sort();
  const fact = { name: 'audienceCountries', value: shown };
  const excluded = term.countries.join(', ');
  if (certain.length > 0) {
    const where =
      audience === 'worldwide' ? `worldwide, which includes ${excluded}` : `in ${certain.join(', ')}`;
    report.finding({
      ruleId: 'territory-outputs',
      severity: restrictionSeverity(term),
      subject,
      term,
      fact,
      message: `${nameOf(subject)}: its output may not be used or shown ${where}; where it was generated does not matter.`,
      howToFix: `Leave ${excluded} out of the audience, or choose another model.`,
    });
  } else {
    report.finding({
      ruleId: 'territory-outputs',
      severity: 'review',
      subject,
      term,
      fact,
      message: `${nameOf(subject)}: the text excludes ${excluded} and does not say whether that includes ${listOf(doubtful)}.`,
      howToFix: `Have counsel decide, or leave ${listOf(doubtful)} out of the audience.`,
    });
  }
}

function weights(term: Exclusion, subject: Subject, { facts, version }: PreparedFacts, report: Report): void {
  if (facts.processingCountries === 'unknown') {
    const excluded = term.countries.join(', ');
    report.finding({
      ruleId: 'territory-weights',
      severity: 'review',
      subject,
      term,
      fact: { name: 'processingCountries', value: 'unknown' },
      message: `${nameOf(subject)}: the model may not be run in ${excluded}, and where it runs is not known.`,
      howToFix: 'State processingCountries.',
    });
    return;
  }
  const { certain, doubtful } = overlap(
    facts.processingCountries,
    subject.entry.territories.get(term),
    version,
  );
  if (certain.length === 0 && doubtful.length === 0) return;
  const places = [...certain, ...doubtful].sort();
  const excluded = term.countries.join(', ');
  report.finding({
    ruleId: 'territory-weights',
    severity: certain.length > 0 ? restrictionSeverity(term) : 'review',
    subject,
    term,
    fact: { name: 'processingCountries', value: places },
    message: `${nameOf(subject)}: the model may not be run in ${places.join(', ')}.`,
    howToFix: `Run it outside ${excluded}, or choose another model.`,
  });
}

/** A code that nobody knows may mean any country: then there are hundreds. */
function listOf(countries: readonly string[]): string {
  return countries.length > 60 ? 'any of the countries' : countries.join(', ');
}
