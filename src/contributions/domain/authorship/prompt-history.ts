/** One run as a step in working out an idea: its prompt is in the log as a salted commitment, made when it was accepted. */
export interface PromptRun {
  readonly runId: string;
  /** Public id of the `run.accepted` entry. */
  readonly entryId: string;
  /** base64url(SHA-256(salt || prompt)); `undefined` for a run without one prompt of its own. */
  readonly promptCommitment: string | undefined;
  readonly acceptedAt: string;
}

/** Successive runs by one person in one use case, oldest first, up to a run behind the asset. */
export interface PromptHistory {
  readonly personId: string;
  readonly runs: readonly PromptRun[];
}
