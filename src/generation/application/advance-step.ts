import { randomUUID } from 'node:crypto';
import { type OrganizationTx } from '../../database/organization-tx.js';
import { type Clock } from '../../shared/clock.js';
import { ColophonError } from '../../shared/errors.js';
import { storageFailure } from '../../shared/storage-failure.js';
import { type Lease, LeaseLostError, type RunRepository } from '../adapters/run.repository.js';
import { type StepRun, TERMINAL_STEP_STATES } from '../domain/run.js';
import { type WakeUpQueue } from '../domain/wake-up.port.js';
import { type CompleteStep } from './complete-step.js';
import { type ExpireStep } from './expire-step.js';
import { type FailStep } from './fail-step.js';
import { type LookForLostJob } from './look-for-lost-job.js';
import { type PollStep } from './poll-step.js';
import { type Next, type StepWork } from './step-work.js';
import { type SubmitStep } from './submit-step.js';

export interface AdvanceOptions {
  readonly leaseSeconds: number;
  /** Before trying again when our own signer or store is unavailable: the output is held, never released. */
  readonly holdSeconds: number;
  /** The longest pause between two tries to sign a held output. */
  readonly longestHoldSeconds: number;
  /** Told of what keeps an output from being signed, each time. */
  readonly held?: ((stepRunId: string, error: ColophonError) => void) | undefined;
}

/**
 * Drives one step along the ledger. Every wake-up leads here, whatever the reason; what happens depends on the
 * committed state alone, so the first attempt and the recovery after a crash are the same code.
 */
export class AdvanceStep {
  constructor(
    private readonly organizationTx: OrganizationTx,
    private readonly runs: RunRepository,
    private readonly submitStep: SubmitStep,
    private readonly pollStep: PollStep,
    private readonly lookForLostJob: LookForLostJob,
    private readonly completeStep: CompleteStep,
    private readonly failStep: FailStep,
    private readonly expireStep: ExpireStep,
    private readonly wakeUps: WakeUpQueue,
    private readonly options: AdvanceOptions,
    private readonly clock: Clock,
  ) {}

  async advance(organizationId: string, stepRunId: string): Promise<void> {
    const lease: Lease = { token: randomUUID() };
    const leased = await this.acquireLease(organizationId, stepRunId, lease);
    if (leased === undefined) return;
    const abort = new AbortController();
    const renewal = setInterval(
      () => {
        this.organizationTx
          .run(organizationId, (tx) => this.runs.renewLease(tx, stepRunId, lease, this.options.leaseSeconds))
          .catch((error: unknown) => abort.abort(error));
      },
      (this.options.leaseSeconds * 1000) / 3,
    );
    let isOver = false;
    try {
      isOver = await this.untilWaiting({ organizationId, ...leased, lease, signal: abort.signal });
    } catch (error) {
      if (!(error instanceof LeaseLostError)) throw error;
    } finally {
      clearInterval(renewal);
      if (!isOver)
        await this.organizationTx.run(organizationId, (tx) => this.runs.releaseLease(tx, stepRunId, lease));
    }
  }

  private async acquireLease(
    organizationId: string,
    stepRunId: string,
    lease: Lease,
  ): Promise<Pick<StepWork, 'run' | 'step'> | undefined> {
    return this.organizationTx.run(organizationId, async (tx) => {
      const [step, run] = await Promise.all([
        this.runs.acquireLease(tx, stepRunId, lease.token, this.options.leaseSeconds),
        this.runs.ofStep(tx, stepRunId),
      ]);
      if (step) return { step, run };
      const current = await this.runs.step(tx, stepRunId);
      if (TERMINAL_STEP_STATES.includes(current.state)) return undefined;
      // Somebody else holds it, perhaps a worker that was killed: look again when the lease has ended.
      await this.wakeUps.wakeStep(
        tx,
        stepRunId,
        Math.ceil(await this.runs.leaseRemainingSeconds(tx, stepRunId)) + 1,
      );
      return undefined;
    });
  }

  /** @returns whether the step has come to its end, and the lease with it */
  private async untilWaiting(first: StepWork): Promise<boolean> {
    const { organizationId, step } = first;
    let work = first;
    for (;;) {
      const next = await this.transition(work);
      if (next === 'ended') return true;
      if (next === 'stop') return false;
      if (next === 'again') work = await this.asItIsNow(work);
      else if ('run' in next) work = { ...work, ...next };
      else {
        await this.organizationTx.run(organizationId, (tx) =>
          this.wakeUps.wakeStep(tx, step.id, next.wakeInSeconds),
        );
        return false;
      }
    }
  }

  private asItIsNow(work: StepWork): Promise<StepWork> {
    return this.organizationTx.run(work.organizationId, async (tx) => {
      const step = await this.runs.step(tx, work.step.id);
      return { ...work, step, run: await this.runs.get(tx, step.runId) };
    });
  }

  private async transition(work: StepWork): Promise<Next> {
    switch (work.step.state) {
      case 'RESERVED':
        return this.submitStep.begin(work);
      case 'WAITING':
        return this.expireStep.expire(work);
      case 'SUBMITTING':
        return this.submitStep.recover(work);
      case 'SUBMITTED':
        return this.pollStep.poll(work);
      case 'CAPTURED':
        return this.complete(work);
      case 'OUTCOME_UNKNOWN':
        return this.lookForLostJob.look(work);
      case 'SUCCEEDED':
      case 'FAILED':
      case 'SKIPPED':
      case 'CANCELED':
        return 'stop';
    }
  }

  /**
   * What the provider made is paid for and kept. Only what is wrong with the file itself is the end of the step; what is
   * wrong here (5xx: signer, clock, store, a signature that does not read back) holds it until that is mended.
   */
  private async complete(work: StepWork): Promise<Next> {
    const { organizationId, run, step, lease } = work;
    try {
      await this.completeStep.complete(organizationId, run, step, lease);
      return 'ended';
    } catch (thrown) {
      const error = storageFailure(thrown) ?? thrown;
      if (!(error instanceof ColophonError)) throw error;
      if (error.status < 500)
        return this.failStep.fail(work, { code: error.code, reason: error.message, charged: true });
      this.options.held?.(step.id, error);
      return { wakeInSeconds: this.holdSecondsOf(step) };
    }
  }

  /** The longer it lasts, the rarer the tries: the signer of everybody else is not kept busy by one file. */
  private holdSecondsOf({ updatedAt }: StepRun): number {
    const { holdSeconds, longestHoldSeconds } = this.options;
    const heldSeconds = (this.clock.now().getTime() - updatedAt.getTime()) / 1000;
    return Math.round(Math.min(Math.max(holdSeconds, heldSeconds / 4), longestHoldSeconds));
  }
}
