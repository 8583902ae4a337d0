import { type PolicyAction, type PolicySet } from './policy.js';

/** A value in the JSON form of Cedar. */
export type PolicyValue =
  | string
  | boolean
  | number
  | { readonly __entity: { readonly type: string; readonly id: string } }
  | readonly PolicyValue[]
  | { readonly [name: string]: PolicyValue };
export type PolicyRecord = Readonly<Record<string, PolicyValue>>;

/** One question to a policy set. */
export interface PolicyCall {
  readonly action: PolicyAction;
  readonly principal: PolicyRecord;
  readonly work: PolicyRecord;
  readonly context: PolicyRecord;
}

/** Something in a text that the engine does not take. */
export interface TextProblem {
  readonly message: string;
  readonly help: string | null;
  /** Bytes of the UTF-8 text before the place; null when the engine names none. */
  readonly offset: number | null;
}

export interface ParsedPolicy {
  readonly text: string;
  readonly effect: 'permit' | 'forbid';
  /** An annotation without a value has an empty one. */
  readonly annotations: ReadonlyMap<string, string>;
}

export interface ParsedText {
  readonly problems: readonly TextProblem[];
  /** What is valid and hardly meant: a policy that can never match, letters of several scripts in one word. */
  readonly warnings: readonly TextProblem[];
  /** Empty when there are problems. */
  readonly policies: readonly ParsedPolicy[];
}

export interface PolicyAnswer {
  /** Ids of the rules that forbid. */
  readonly matched: readonly string[];
  /** Ids of the rules of which nobody can say it: a value was missing, a sum overflowed. */
  readonly failed: readonly string[];
}

/** The policy language. It knows nothing of severities, scopes or licenses. */
export interface PolicyEngine {
  /** Name and release. */
  readonly name: string;
  /**
   * Makes a set ready for questions, a little at a time, so that nobody is kept waiting.
   * @throws Error when the engine itself fails
   */
  prepare(set: PolicySet): Promise<void>;
  /** @throws Error when the engine itself fails: nothing follows from that */
  evaluate(set: PolicySet, call: PolicyCall): PolicyAnswer;
}

/** Reads texts without keeping anybody waiting. */
export interface PolicyReader {
  /**
   * Parses and type-checks against the schema. Ask only for texts that `checkShape` let through.
   * @param organizationId whose text it is: the organizations have their turns
   * @throws ColophonError `conflict` when the organization has too many texts in the queue
   */
  read(text: string, schema: string, organizationId: string): Promise<ParsedText>;
}
