import { type AppendEntry } from '../../audit/application/append-entry.js';
import { type Tx } from '../../database/organization-tx.js';
import { SYSTEM_ACTOR } from '../../identity/application/actor.js';
import { type Clock } from '../../shared/clock.js';
import { publicId } from '../../shared/ids.js';
import { type Lease, type RunRepository } from '../adapters/run.repository.js';
import { afterFailure } from '../domain/attempt.js';
import { type Run, type StepRun } from '../domain/run.js';
import { isHopeless } from '../domain/run-moves.js';
import { type Alternative } from '../domain/step-plan.js';
import { type WakeUpQueue } from '../domain/wake-up.port.js';
import { nodeOf, type StepFailure } from './end-step.js';
import { type RunEvents } from './run-events.js';
import { type Next } from './step-work.js';

/**
 * After a certain failure that costs nothing, a step goes back to RESERVED as far as its definition says so: the same
 * model later, or the next one. Its reservation stands. Which requests were made and why they failed is in the log.
 */
export class TryAgain {
  constructor(
    private readonly runs: RunRepository,
    private readonly events: RunEvents,
    private readonly wakeUps: WakeUpQueue,
    private readonly appendEntry: AppendEntry,
    private readonly clock: Clock,
  ) {}

  /** `undefined` when the failure is final. */
  async after(tx: Tx, step: StepRun, lease: Lease, failure: StepFailure): Promise<Next | undefined> {
    const { plan } = step;
    if (plan?.retry === undefined && plan?.alternatives === undefined) return undefined;
    const run = await this.runs.lock(tx, step.runId);
    const current = await this.runs.step(tx, step.id);
    const { submitAttempts: made, alternative } = current;
    const { code, charged, notAccepted } = failure;
    const next = afterFailure(plan, { made, alternative }, { code, charged, notAccepted });
    if (next.kind === 'fail' || isHopeless((await this.runs.steps(tx, run.id)).map(nodeOf), isCanceled(run)))
      return undefined;
    const back = {
      upstreamId: null,
      requestSha256: null,
      progress: null,
      usage: null,
      errorCode: code,
      errorDetail: failure.reason.slice(0, 500),
      formerUpstreamIds: [
        ...current.formerUpstreamIds,
        ...(current.upstreamId === undefined ? [] : [current.upstreamId]),
      ],
    };
    if (next.kind === 'retry') {
      const retryAt = new Date(this.clock.now().getTime() + next.delaySeconds * 1000);
      await this.runs.changeStep(tx, step.id, lease, step.state, 'RESERVED', { ...back, retryAt });
      await this.record(tx, run, current, failure, undefined);
      await this.wakeUps.wakeStep(tx, step.id, next.delaySeconds);
      return 'stop';
    }
    const other = plan.alternatives?.[next.alternative];
    if (other === undefined) return undefined;
    await this.runs.changeStep(tx, step.id, lease, step.state, 'RESERVED', {
      ...back,
      ...inUse(other),
      plan: { ...plan, fallbackReason: code },
      alternative: next.alternative,
      submitAttempts: 0,
      retryAt: null,
    });
    await this.record(tx, run, current, failure, other);
    // A crash before the next try leaves the wake-up that brought us here: the queue offers it again.
    return 'again';
  }

  private async record(
    tx: Tx,
    run: Run,
    step: StepRun,
    { code, notAccepted }: StepFailure,
    other: Alternative | undefined,
  ): Promise<void> {
    await this.appendEntry.append(tx, {
      type: 'step.attempt_failed',
      projectId: run.projectId,
      actor: SYSTEM_ACTOR,
      subject: { kind: 'step_run', id: publicId('stepRun', step.id) },
      data: {
        runId: publicId('run', run.id),
        stepKey: step.key,
        provider: step.provider,
        listingId: step.listingId,
        code,
        attempt: Math.max(1, step.submitAttempts),
        ...(notAccepted === undefined ? {} : { notAccepted }),
        ...(other === undefined
          ? { next: 'retry' as const }
          : { next: 'fallback' as const, nextProvider: other.provider, nextListingId: other.listingId }),
      },
    });
    await this.events.add(tx, run.id, {
      type: 'step',
      stepKey: step.key,
      state: 'RESERVED',
      errorCode: code,
    });
  }
}

function inUse({ listingId, provider, endpoint, components }: Alternative) {
  return { listingId, provider, endpoint, components: components.length === 0 ? null : [...components] };
}

function isCanceled(run: Run): boolean {
  return run.cancelRequestedAt !== undefined;
}
