/** One run as a step in working out an idea: its prompt is in the log as a salted commitment, made when it was accepted. */
export interface PromptRun {
  readonly runId: string;
  /** Public id of the `run.accepted` entry. */
  readonly entryId: string;
  /** base64url(SHA-256(salt || prompt)); `undefined` for a run without one prompt of its own. */
  readonly promptCommitment: string | undefined;
  readonly acceptedAt: string;
  readonly relation: PromptRelation;
}

/**
 * `behind`: it made a file of the chain. `attempt`: something recorded ties it to the asset: its result was shown when a
 * file of the chain was chosen, or it made another file from one that the chain goes through. `other`: of the same person
 * in the same use case, and nothing more is known, so it has no weight.
 */
export const PROMPT_RELATIONS = ['behind', 'attempt', 'other'] as const;
export type PromptRelation = (typeof PROMPT_RELATIONS)[number];

/** Runs by one person in one use case, oldest first, up to a run behind the asset. */
export interface PromptHistory {
  readonly personId: string;
  readonly runs: readonly PromptRun[];
}
