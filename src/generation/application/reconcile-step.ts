import { type AppendEntry } from '../../audit/application/append-entry.js';
import { type Tx } from '../../database/organization-tx.js';
import { type ActorKind } from '../../audit/core/entry-types.js';
import { ColophonError } from '../../shared/errors.js';
import { publicId } from '../../shared/ids.js';
import { type MicroUsd } from '../../shared/money.js';
import { type RunRepository } from '../adapters/run.repository.js';
import { type StepExecutor } from '../domain/provider.port.js';
import { type StepRun, type StepState } from '../domain/run.js';
import { type WakeUpQueue } from '../domain/wake-up.port.js';
import { type EndStep } from './end-step.js';
import { type RunEvents } from './run-events.js';

/** What was found out about a step whose outcome was unknown. */
export type Reconciliation =
  /** The provider has the job under this id: go on with it. */
  | { readonly outcome: 'accepted'; readonly upstreamId: string }
  /** The provider never got it. A person vouches for that: it will be sent again. */
  | { readonly outcome: 'not_accepted' }
  /** Nothing came of it and nothing was charged: the step has failed, and its money is free again. */
  | { readonly outcome: 'not_charged' }
  /** Nothing usable came of it, and the vendor charged this: the step has failed and is paid. */
  | { readonly outcome: 'charged'; readonly costMicroUsd: MicroUsd };

const KEEPING_NO_JOBS: readonly StepExecutor[] = ['openai', 'openai-compatible'];

/** What the person who says it says of it; sealed in the log under their key. */
export interface ReconciliationReason {
  readonly text: string;
  readonly principalId: string;
}

/** Ends the uncertainty about a step: by the provider's own webhook, or by a person. Recorded in the log. */
export class ReconcileStep {
  constructor(
    private readonly runs: RunRepository,
    private readonly endStep: EndStep,
    private readonly events: RunEvents,
    private readonly appendEntry: AppendEntry,
    private readonly wakeUps: WakeUpQueue,
  ) {}

  async reconcile(
    tx: Tx,
    stepRunId: string,
    reconciliation: Reconciliation,
    actor: { readonly kind: ActorKind; readonly id: string },
    reason?: ReconciliationReason,
  ): Promise<void> {
    const found = await this.runs.step(tx, stepRunId);
    const run = await this.runs.lock(tx, found.runId);
    const step = await this.runs.step(tx, stepRunId);
    if (step.state !== 'OUTCOME_UNKNOWN') {
      throw new ColophonError('conflict', `The outcome of this step is known: it is ${step.state}.`);
    }
    if (reconciliation.outcome === 'accepted' && step.formerUpstreamIds.includes(reconciliation.upstreamId))
      throw new ColophonError('conflict', 'That is the job of an earlier attempt, which failed.');
    if (reconciliation.outcome === 'accepted' && !(await this.hasJob(tx, step, reconciliation.upstreamId)))
      throw new ColophonError(
        'conflict',
        'That is the job of another step: one job is the work of one step.',
      );
    await this.appendEntry.append(tx, {
      type: 'step.reconciled',
      projectId: run.projectId,
      actor,
      subject: { kind: 'step_run', id: publicId('stepRun', step.id) },
      data: {
        runId: publicId('run', run.id),
        stepKey: step.key,
        outcome: reconciliation.outcome,
        ...('costMicroUsd' in reconciliation ? { costMicroUsd: reconciliation.costMicroUsd.toString() } : {}),
      },
      ...(reason === undefined
        ? {}
        : { sealed: { reason: { value: reason.text, subjectId: reason.principalId } } }),
    });
    if (reconciliation.outcome === 'not_charged') return this.endStep.endUnknown(tx, run, step, undefined);
    if (reconciliation.outcome === 'charged')
      return this.endStep.endUnknown(tx, run, step, reconciliation.costMicroUsd);
    const state: StepState = reconciliation.outcome === 'accepted' ? 'SUBMITTED' : 'RESERVED';
    const change = reconciliation.outcome === 'accepted' ? { upstreamId: reconciliation.upstreamId } : {};
    await this.runs.changeUnleased(tx, step.id, 'OUTCOME_UNKNOWN', state, change);
    await this.events.add(tx, run.id, { type: 'step', stepKey: step.key, state });
    await this.endStep.continueRun(tx, run);
    await this.wakeUps.wakeStep(tx, step.id);
  }

  /**
   * A provider's verified webhook names the job of a step. It is a hint, not the truth: what the job made is asked
   * from the provider. Repeated, late and out-of-order webhooks change nothing.
   */
  async learnUpstreamId(
    tx: Tx,
    stepRunId: string,
    upstreamId: string,
    actor: { kind: ActorKind; id: string },
  ): Promise<void> {
    const found = await this.runs.step(tx, stepRunId);
    await this.runs.lock(tx, found.runId);
    const step: StepRun = await this.runs.step(tx, stepRunId);
    // Late news about an earlier attempt must not be taken for an answer to this one: that could send a third.
    if (step.formerUpstreamIds.includes(upstreamId)) return;
    const isOpen =
      step.state === 'OUTCOME_UNKNOWN' || (step.state === 'SUBMITTING' && step.upstreamId === undefined);
    if (isOpen && !(await this.hasJob(tx, step, upstreamId))) return;
    if (step.state === 'OUTCOME_UNKNOWN') {
      await this.reconcile(tx, stepRunId, { outcome: 'accepted', upstreamId }, actor);
    } else if (step.state === 'SUBMITTING' && step.upstreamId === undefined) {
      // The worker is waiting for the provider's answer, or died while it did: then it finds the id here.
      await this.runs.changeUnleased(tx, step.id, 'SUBMITTING', 'SUBMITTING', { upstreamId });
      await this.wakeUps.wakeStep(tx, step.id);
    } else if (step.state === 'SUBMITTED') {
      await this.wakeUps.wakeStep(tx, step.id);
    }
  }

  /** Whoever keeps no jobs gives no ids: what a person says for one names nothing that another step could have. */
  private async hasJob(tx: Tx, step: StepRun, upstreamId: string): Promise<boolean> {
    return KEEPING_NO_JOBS.includes(step.provider) || this.runs.claimJob(tx, step, upstreamId);
  }
}
