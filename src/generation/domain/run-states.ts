/**
 * NEEDS_RECONCILIATION: the outcome of a step is unknown and a person has to say it; steps that do not wait for it go on.
 * PARTIALLY_SUCCEEDED: steps failed whose failure the definition allows, and others made something.
 */
export const RUN_STATES = [
  'WAITING_FOR_WAIVER',
  'RUNNING',
  'NEEDS_RECONCILIATION',
  'SUCCEEDED',
  'PARTIALLY_SUCCEEDED',
  'FAILED',
  'CANCELED',
] as const;
export type RunState = (typeof RUN_STATES)[number];

/**
 * The step ledger. Each state is committed before the next thing is done:
 * RESERVED     money is reserved; nothing was sent, or what was sent was certainly not taken and a retry is due
 * WAITING      a person was asked, until a deadline; no worker holds it
 * SUBMITTING   the request is about to be sent, or was: a crash in here leaves the outcome open
 * SUBMITTED    the provider has the job, and we know its id
 * CAPTURED     the original bytes are in the store, and we know their hash
 * SUCCEEDED    the asset is signed, in the log, and paid for
 * OUTCOME_UNKNOWN  a crash or a lost answer at a provider that charges: waits for a webhook or a person
 */
export const STEP_STATES = [
  'RESERVED',
  'WAITING',
  'SUBMITTING',
  'SUBMITTED',
  'CAPTURED',
  'SUCCEEDED',
  'FAILED',
  'SKIPPED',
  'CANCELED',
  'OUTCOME_UNKNOWN',
] as const;
export type StepState = (typeof STEP_STATES)[number];

/** Runs whose steps may begin: an unknown outcome holds up only what waits for it. */
export const GOING_RUN_STATES: readonly RunState[] = ['RUNNING', 'NEEDS_RECONCILIATION'];
export const TERMINAL_RUN_STATES: readonly RunState[] = [
  'SUCCEEDED',
  'PARTIALLY_SUCCEEDED',
  'FAILED',
  'CANCELED',
];
/** Has an output, or never will. OUTCOME_UNKNOWN is not terminal: it is waiting. */
export const TERMINAL_STEP_STATES: readonly StepState[] = ['SUCCEEDED', 'FAILED', 'SKIPPED', 'CANCELED'];
