import { type DecisionInput } from './decision-input.js';
import { type Finding } from './finding.js';
import { type LineageInput } from './lineage.js';

/** What was decided, as far as publication asks for it. */
export type ClearedWork = Pick<DecisionInput, 'lineage' | 'facts'>;

/**
 * Of the decisions behind a file, those that cover no publication: what was cleared for an evaluation inside the company
 * stays there, unless all of its models were cleared for something else later, as part of a work made from it.
 */
export function evaluationsOnly<Work extends ClearedWork>(decisions: readonly Work[]): readonly Work[] {
  const isEvaluation = ({ facts }: ClearedWork) => facts.purpose === 'internal-evaluation';
  const published = decisions.filter((decision) => !isEvaluation(decision)).map(modelsOf);
  return decisions.filter((decision) => {
    if (!isEvaluation(decision)) return false;
    const models = modelsOf(decision);
    return !published.some((others) => [...models].every((model) => others.has(model)));
  });
}

function modelsOf({ lineage }: ClearedWork): ReadonlySet<string> {
  return new Set(lineage.components.map(({ listingId, role }) => `${listingId} ${role}`));
}

/**
 * What stands against publishing a received file whatever it is for: no right at all, or a right or a release that is
 * over. A file that went into no run was never decided about.
 *
 * @param today `YYYY-MM-DD`, UTC
 */
export function deadRights(inputs: readonly LineageInput[], today: string): readonly Finding[] {
  const isOver = (day: LineageInput['expiresAt']) => day !== null && day !== 'unknown' && day < today;
  return inputs.flatMap(({ assetId = 'an input', rightsBasis, expiresAt, releases }): Finding[] => {
    const found: Finding[] = [];
    if (rightsBasis === 'none')
      found.push(
        finding(
          'input-rights-basis',
          'rightsBasis',
          'none',
          `Input ${assetId}: there is no right to use it.`,
        ),
      );
    if (isOver(expiresAt)) {
      const message = `Input ${assetId}: the right to use it ended on ${String(expiresAt)}.`;
      found.push(finding('input-expiry', 'expiresAt', expiresAt, message));
    }
    for (const { reference, expiresAt: day } of releases) {
      if (!isOver(day)) continue;
      const message = `Input ${assetId}: the release ${reference} ended on ${String(day)}.`;
      found.push(finding('input-release', 'expiresAt', day, message));
    }
    return found;
  });
}

function finding(ruleId: Finding['ruleId'], name: string, value: string | null, message: string): Finding {
  return {
    ruleId,
    severity: 'deny',
    listingId: null,
    stepKeys: [],
    via: [],
    term: null,
    fact: { name, value },
    message,
    howToFix: 'Obtain or extend the right and upload the file with it, or make the work without the file.',
    alternatives: [],
  };
}
