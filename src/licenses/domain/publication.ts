import { type DecisionInput } from './decision-input.js';
import { type Finding } from './finding.js';
import { type LineageInput } from './lineage.js';

/** What was decided, as far as publication asks for it. */
export type ClearedWork = Pick<DecisionInput, 'lineage' | 'facts'>;

/** A file, the files that it was made from, and what was decided of the run that made it. */
export interface MadeFile<Work extends ClearedWork> {
  readonly id: string;
  readonly parentIds: readonly string[];
  /** None for a received file, or a person's edit. */
  readonly cleared: Work | undefined;
}

/**
 * Of the decisions behind a file, those that cover no publication: what was cleared for an evaluation inside the company
 * stays there, unless all of its models were cleared for something else later, as part of a work made from it. What was
 * cleared of the files that an evaluation was made from came before and says nothing of it.
 *
 * @param releasedId the file that is to be published
 * @param files it and everything that it was made from
 */
export function evaluationsOnly<Work extends ClearedWork>(
  releasedId: string,
  files: readonly MadeFile<Work>[],
): readonly Work[] {
  const madeFrom = new Map<string, MadeFile<Work>[]>();
  for (const file of files)
    for (const parent of file.parentIds) madeFrom.set(parent, [...(madeFrom.get(parent) ?? []), file]);
  const found = new Set<Work>();
  for (const file of files) {
    if (file.cleared === undefined || !isEvaluation(file.cleared)) continue;
    if (leavesUncovered(file, file.cleared, releasedId, madeFrom)) found.add(file.cleared);
  }
  return [...found];
}

/** Whether a way leads from the file to the released one on which nothing was made under a decision that covers it. */
function leavesUncovered<Work extends ClearedWork>(
  file: MadeFile<Work>,
  evaluation: Work,
  releasedId: string,
  madeFrom: ReadonlyMap<string, readonly MadeFile<Work>[]>,
): boolean {
  const models = [...modelsOf(evaluation)];
  const seen = new Set([file]);
  // It grows while it is walked.
  for (const reached of seen) {
    if (reached.id === releasedId) return true;
    for (const made of madeFrom.get(reached.id) ?? [])
      if (made.cleared === undefined || !covers(made.cleared, models)) seen.add(made);
  }
  return false;
}

function isEvaluation({ facts }: ClearedWork): boolean {
  return facts.purpose === 'internal-evaluation';
}

function covers(decision: ClearedWork, models: readonly string[]): boolean {
  if (isEvaluation(decision)) return false;
  const cleared = modelsOf(decision);
  return models.every((model) => cleared.has(model));
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
