import { isSince } from '../engine-version.js';
import { type FindingDraft, type LineageRule } from './rule.js';

const NOTHING_NAMED: FindingDraft = {
  ruleId: 'listing-unknown',
  severity: 'review',
  term: null,
  fact: { name: 'lineage', value: [] },
  message: 'The lineage names nothing, so it is not known what the work is made with.',
  howToFix: 'Name every model and tool that takes part.',
};

/** Whatever has no terms in the registry is not allowed, and not denied either: somebody has to look. */
export const unknownListing: LineageRule = ({ subjects, missing }, { version }, report) => {
  if (subjects.length + missing.size === 0 && isSince('2.2.0', version)) report.finding(NOTHING_NAMED);
  for (const { id, stepKeys, via } of missing.values()) {
    const hidden = via.length > 0;
    report.finding({
      ruleId: hidden ? 'component-unknown' : 'listing-unknown',
      severity: 'review',
      listingId: id,
      stepKeys,
      via,
      term: null,
      fact: { name: 'lineage', value: id },
      message: hidden
        ? `${id} comes along with ${[...via].sort().join(', ')}, and the registry has no terms for it.`
        : `The registry has no terms for ${id}.`,
      howToFix: 'Have its license read and listed, or choose a listed model.',
    });
  }
};
