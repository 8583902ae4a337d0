import { type ExpandedLineage, type Subject } from '../expand-lineage.js';
import { type FactValue } from '../finding.js';
import { type LineageRule, nameOf, type PreparedFacts, type Report } from './rule.js';

/**
 * An indemnity belongs to an output as the vendor returned it. What happens afterwards in the lineage can end it, so
 * it is computed over the whole lineage and never per model. It informs; whether an indemnity is needed is policy.
 */
export const indemnity: LineageRule = (lineage, facts, report) => {
  for (const subject of lineage.subjects.values()) {
    const { offered } = subject.entry.listing.indemnity;
    if (offered === 'yes') offeredBy(subject, lineage, facts, report);
    else if (subject.entry.listing.access !== 'code') {
      const answer =
        offered === 'no' ? 'the vendor gives no indemnity.' : 'no indemnity was found in its terms.';
      note(subject, { name: 'indemnity.offered', value: offered }, answer, report);
    }
  }
};

function offeredBy(
  subject: Subject,
  lineage: ExpandedLineage,
  { facts }: PreparedFacts,
  report: Report,
): void {
  const { voidedBy, conditions } = subject.entry.listing.indemnity;
  const others = [...lineage.subjects.values()]
    .filter(({ entry }) => entry.listing.vendor !== subject.entry.listing.vendor)
    .map(({ entry }) => entry.listing.id)
    .sort();
  const combined =
    voidedBy.includes('combined-with-other-products') && (others.length > 0 || lineage.missing.size > 0);
  const modified = voidedBy.includes('output-modified') && facts.editsPlanned !== 'no';
  const withoutRight =
    voidedBy.includes('input-without-right') &&
    lineage.inputs.some(({ rightsBasis }) => rightsBasis === 'none' || rightsBasis === 'unknown');
  if (combined) {
    const value = [...others, ...lineage.missing.keys()].sort();
    const message = 'its indemnity is lost: the output is combined with or changed by products of others.';
    note(subject, { name: 'lineage', value }, message, report);
  }
  if (modified) {
    const certain =
      facts.editsPlanned === 'yes' ? 'is lost: the output is edited' : 'is lost if the output is edited';
    note(subject, { name: 'editsPlanned', value: facts.editsPlanned }, `its indemnity ${certain}.`, report);
  }
  if (withoutRight) {
    const message = 'its indemnity is lost: an input comes without a proven right.';
    note(subject, { name: 'inputs', value: null }, message, report);
  }
  if (!combined && !modified && !withoutRight) {
    const message = `an indemnity is offered. Conditions: ${conditions.join(' ')}`;
    note(subject, { name: 'indemnity.offered', value: 'yes' }, message, report);
  }
}

function note(
  subject: Subject,
  fact: { readonly name: string; readonly value: FactValue },
  answer: string,
  report: Report,
): void {
  report.finding({
    ruleId: 'indemnity',
    severity: 'note',
    subject,
    term: null,
    fact,
    message: `${nameOf(subject)}: ${answer}`,
    howToFix: 'If an indemnity is needed, keep the output of an indemnified model as it was returned.',
  });
}
