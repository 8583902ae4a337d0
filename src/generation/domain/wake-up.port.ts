import { type Tx } from '../../database/organization-tx.js';

export interface StepWakeUp {
  readonly organizationId: string;
  readonly stepRunId: string;
}

/**
 * Tells a worker to look at a step. It carries no truth: too many wake-ups are harmless, and a lost one costs time,
 * never money.
 */
export interface WakeUpQueue {
  /** Within the caller's transaction: the wake-up exists exactly if the change does. */
  wakeStep(tx: Tx, stepRunId: string, delaySeconds?: number): Promise<void>;
}
