import { type Lease } from '../adapters/run.repository.js';
import { type Run, type StepRun } from '../domain/run.js';

/** A leased step as it was committed last, and what is needed to take it one state further. */
export interface StepWork {
  readonly organizationId: string;
  readonly run: Run;
  readonly step: StepRun;
  readonly lease: Lease;
  /** Aborted when the lease cannot be renewed. */
  readonly signal: AbortSignal;
}

/**
 * What to do after one transition. `ended`: the step is over, and with it the lease. A run and a step: as they were just
 * committed, so they need not be read again.
 */
export type Next =
  'again' | 'stop' | 'ended' | { readonly wakeInSeconds: number } | Pick<StepWork, 'run' | 'step'>;
