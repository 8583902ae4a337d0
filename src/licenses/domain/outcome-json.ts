import { type DecisionResult } from './engine.js';
import { type Obligation } from './finding.js';

type Said = Pick<
  DecisionResult,
  'decision' | 'findings' | 'obligations' | 'indemnity' | 'engineVersion' | 'termsSha256' | 'inputSha256'
>;

/** What a decision says, as bytes of JSON for the answer. */
export interface OutcomeJson {
  /** `"decision":...` up to `"obligations":...`, without braces. */
  readonly front: Buffer;
  /** `"termsSha256":...`. */
  readonly end: Buffer;
}

/**
 * Whoever makes findings, obligations and indemnity statuses writes their members in the order of their names, so that
 * JSON.stringify gives the canonical form (RFC 8785). outcome-json.spec.ts compares it with the library's.
 */
export function outcomeJson(said: Said): OutcomeJson {
  const { decision, engineVersion, findings, indemnity, inputSha256, obligations, termsSha256 } = said;
  const front = members({ decision, engineVersion, findings, indemnity, inputSha256 });
  return {
    front: Buffer.from(`${front},"obligations":[${obligations.map(obligationJson).join()}]`),
    end: Buffer.from(members({ termsSha256 })),
  };
}

const OBLIGATIONS = new WeakMap<Obligation, string>();

/** Those of a listing are frozen with it, and written once: they are a third of the text. */
function obligationJson(obligation: Obligation): string {
  const known = OBLIGATIONS.get(obligation);
  if (known !== undefined) return known;
  const text = JSON.stringify(obligation);
  if (Object.isFrozen(obligation)) OBLIGATIONS.set(obligation, text);
  return text;
}

function members(object: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(object).slice(1, -1);
}
