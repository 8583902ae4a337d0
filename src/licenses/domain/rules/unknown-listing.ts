import { type LineageRule } from './rule.js';

/** Whatever has no terms in the registry is not allowed, and not denied either: somebody has to look. */
export const unknownListing: LineageRule = ({ missing }, _facts, report) => {
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
