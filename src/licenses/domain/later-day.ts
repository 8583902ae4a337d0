import { type DecisionInput } from './decision-input.js';
import { decide } from './engine.js';
import { ENGINE_VERSION, isEngineVersion } from './engine-version.js';
import { type Finding } from './finding.js';
import { type ListingIndex } from './listing-index.js';

/**
 * What stands against models that run on a later day than was decided about: a license, a right or a release that is over
 * by then, a text that came into force. By the rules of the decision, so that newer rules stop nothing that runs.
 *
 * @param today `YYYY-MM-DD`, UTC
 * @returns what was not found then, without notes; empty for a decision about no day, and for one about today or later
 */
export function foundLater(
  { lineage, facts, engineVersion: decidedBy }: Pick<DecisionInput, 'lineage' | 'facts' | 'engineVersion'>,
  listings: ListingIndex,
  today: string,
): readonly Finding[] {
  if (facts.generatedOn === null || facts.generatedOn >= today) return [];
  const engineVersion = isEngineVersion(decidedBy) ? decidedBy : ENGINE_VERSION;
  const then = decide({ lineage, facts, listings, engineVersion }).findings.map(keyOf);
  const now = decide({ lineage, facts: { ...facts, generatedOn: today }, listings, engineVersion });
  return now.findings.filter((found) => found.severity !== 'note' && !then.includes(keyOf(found)));
}

function keyOf({ ruleId, severity, listingId, message }: Finding): string {
  return JSON.stringify([ruleId, severity, listingId, message]);
}
