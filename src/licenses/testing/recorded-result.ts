import { type JsonValue } from '../../shared/canonical-json.js';
import { type DecisionResult } from '../domain/engine.js';

/**
 * The part of a result that follows from the stored input alone. Proposed alternatives depend on the whole registry
 * of the day, so they and the sentence that names them are left out.
 */
export function recordedResult(result: DecisionResult): JsonValue {
  const { decision, findings, obligations, indemnity, engineVersion, termsSha256, inputSha256 } = result;
  const lastingFindings = findings.map(({ howToFix, ...finding }) => ({
    ...finding,
    alternatives: [],
    howToFix: howToFix.split(' Allowed under the same facts: ')[0],
  }));
  const lasting = { decision, obligations, indemnity, engineVersion, termsSha256, inputSha256 };
  return { ...lasting, findings: lastingFindings } as unknown as JsonValue;
}
