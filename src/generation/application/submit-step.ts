import { type AppendEntry } from '../../audit/application/append-entry.js';
import { type OrganizationTx, type Tx } from '../../database/organization-tx.js';
import { SYSTEM_ACTOR } from '../../identity/application/actor.js';
import { type RequireCleared } from '../../licenses/application/require-cleared.js';
import { ColophonError, type ErrorCode, isColophonError } from '../../shared/errors.js';
import { publicId } from '../../shared/ids.js';
import { type RunRepository } from '../adapters/run.repository.js';
import {
  type AcceptedStep,
  type CompletedStep,
  type FailedStep,
  OutcomeUnknownError,
  type Provider,
  type ProviderRequest,
} from '../domain/provider.port.js';
import { GOING_RUN_STATES, type StepRun, TERMINAL_STEP_STATES } from '../domain/run.js';
import { type CheckReservation } from './check-reservation.js';
import { type CaptureStep } from './capture-step.js';
import { type EndStep } from './end-step.js';
import { type FailStep } from './fail-step.js';
import { type Providers } from './providers.js';
import { type RunEvents } from './run-events.js';
import { type BuildStepRequest, requestHash, type SaltedRequest } from './step-request.js';
import { type Next, type StepWork } from './step-work.js';

/**
 * Step 4 of the way of a run: RESERVED, SUBMITTING, SUBMITTED. Intent before spend (promise P2): a request leaves this
 * machine only after SUBMITTING was committed, and never a second time by itself to a provider that charges.
 */
export class SubmitStep {
  constructor(
    private readonly organizationTx: OrganizationTx,
    private readonly runs: RunRepository,
    private readonly providers: Providers,
    private readonly requireCleared: RequireCleared,
    private readonly buildRequest: BuildStepRequest,
    private readonly reservation: CheckReservation,
    private readonly captureStep: CaptureStep,
    private readonly endStep: EndStep,
    private readonly failStep: FailStep,
    private readonly events: RunEvents,
    private readonly appendEntry: AppendEntry,
  ) {}

  /** For a step that is RESERVED: nothing was sent. */
  async begin(work: StepWork): Promise<Next> {
    if (!GOING_RUN_STATES.includes(work.run.state)) return 'stop';
    const early = secondsUntil(work.step.retryAt);
    if (early > 0) return { wakeInSeconds: early };
    let ready: { provider: Provider; request: ProviderRequest } | undefined;
    try {
      ready = await this.prepare(work);
    } catch (error) {
      const code = refusalBeforeSending(error);
      if (code === undefined) throw error;
      const reason = error instanceof Error ? error.message : '';
      return this.failStep.fail(work, { code, reason, charged: false });
    }
    return ready === undefined ? 'stop' : this.send(work, ready.provider, ready.request);
  }

  /** Everything up to the committed intent. `undefined` when the step is not to be sent now. */
  private async prepare(
    work: StepWork,
  ): Promise<{ provider: Provider; request: ProviderRequest } | undefined> {
    const { organizationId, step } = work;
    // Before the intent: without credentials nothing is sent, and no outcome is left open.
    const { request: salted, other: provider } = await this.buildRequest.buildWith(
      work,
      async (tx, inputs, assets) => {
        await this.reservation.require(tx, step, inputs, assets);
        return this.providers.get(tx, step.provider);
      },
    );
    const committed = await this.organizationTx.run(organizationId, (tx) =>
      this.commitIntent(tx, work, salted),
    );
    return committed ? { provider, request: salted.request } : undefined;
  }

  /** For a step that is SUBMITTING: a worker died between its intent and the provider's answer. */
  async recover(work: StepWork): Promise<Next> {
    const provider = await this.providerOf(work.organizationId, work.step).catch((error: unknown) => {
      if (!isColophonError(error, 'provider_not_configured')) throw error;
      return undefined;
    });
    if (provider === undefined || provider.resubmission === 'charges_again')
      return this.leaveOutcomeOpen(work);
    return this.sendAgain(work, provider);
  }

  private providerOf(organizationId: string, step: StepRun): Promise<Provider> {
    return this.organizationTx.run(organizationId, (tx) => this.providers.get(tx, step.provider));
  }

  private async sendAgain(work: StepWork, provider: Provider): Promise<Next> {
    let request: ProviderRequest;
    try {
      ({ request } = await this.buildRequest.build(work));
    } catch (error) {
      if (!isColophonError(error, 'inputs_erased')) throw error;
      return this.failStep.fail(work, { ...failureOf(error), charged: false });
    }
    return this.send(work, provider, request);
  }

  /**
   * Intent before spend (promise P2): SUBMITTING and its entry are committed before anything leaves this machine.
   * @returns false when the step is not to be sent now
   * @throws ColophonError when the license decision does not hold any more, or the inputs were erased
   */
  private async commitIntent(tx: Tx, work: StepWork, salted: SaltedRequest): Promise<boolean> {
    const { step, lease } = work;
    // The server answers them in this order, so all are answered behind the lock; what they say is looked at in turn.
    const locking = this.runs.lock(tx, step.runId);
    const ready = this.isReady(tx, step);
    const cleared = this.requireCleared.checkUnsent(tx, work.run.clearanceId);
    const unerased = this.buildRequest.requireUnerased(tx, work);
    for (const answer of [ready, cleared, unerased]) answer.catch(() => undefined);
    const run = await locking;
    if (run.cancelRequestedAt !== undefined) {
      await this.endStep.continueRun(tx, run);
      return false;
    }
    if (!(await ready)) return false;
    await cleared;
    await unerased;
    const requestSha256 = requestHash(salted);
    await this.runs.changeStep(tx, step.id, lease, 'RESERVED', 'SUBMITTING', {
      requestSha256,
      submitAttempts: step.submitAttempts + 1,
    });
    await this.appendEntry.append(tx, {
      type: 'step.submitted',
      projectId: run.projectId,
      actor: SYSTEM_ACTOR,
      subject: { kind: 'step_run', id: publicId('stepRun', step.id) },
      data: {
        runId: publicId('run', run.id),
        stepKey: step.key,
        provider: step.provider,
        listingId: step.listingId,
        requestSha256,
      },
    });
    await this.events.add(tx, run.id, { type: 'step', stepKey: step.key, state: 'SUBMITTING' });
    return true;
  }

  /** What it waits for has come to its end, and what it works on is there. */
  private async isReady(tx: Tx, step: StepRun): Promise<boolean> {
    const before = await this.runs.stepsWithKeys(tx, step.runId, step.dependsOn);
    const isOver =
      before.filter(({ state }) => TERMINAL_STEP_STATES.includes(state)).length === step.dependsOn.length;
    const needs = step.plan?.needs ?? step.dependsOn;
    const there = before.filter(
      ({ key, outputAssetId }) => needs.includes(key) && outputAssetId !== undefined,
    );
    return isOver && there.length === needs.length;
  }

  private async send(work: StepWork, provider: Provider, request: ProviderRequest): Promise<Next> {
    const { step, signal } = work;
    const submitting: StepWork = { ...work, step: { ...step, state: 'SUBMITTING' } };
    let answer: CompletedStep | AcceptedStep | FailedStep;
    try {
      answer = await provider.submit(request, signal);
    } catch (error) {
      if (provider.resubmission === 'harmless' && !(error instanceof OutcomeUnknownError)) {
        return this.failStep.fail(submitting, { ...failureOf(error), charged: false });
      }
      // Whatever went wrong went wrong after the request may have left: only a definite refusal is a failure.
      return this.leaveOutcomeOpen(submitting);
    }
    switch (answer.kind) {
      case 'failed': {
        const { code, reason, mayBeBilled: charged = false, notAccepted, contentRefusal } = answer;
        const used = { ...submitting, step: { ...submitting.step, usage: answer.usage } };
        return this.failStep.fail(used, { code, reason, charged, notAccepted, contentRefusal });
      }
      case 'accepted':
        return this.keepUpstreamId(work, answer);
      case 'completed':
        return this.captureStep.capture(submitting, answer);
    }
  }

  private async keepUpstreamId(work: StepWork, { upstreamId }: AcceptedStep): Promise<Next> {
    const { organizationId, step, lease } = work;
    const isKept = await this.organizationTx.run(organizationId, async (tx) => {
      const { runId } = await this.runs.step(tx, step.id);
      await this.runs.lock(tx, runId);
      if (!(await this.runs.claimJob(tx, step, upstreamId))) return false;
      await this.runs.changeStep(tx, step.id, lease, 'SUBMITTING', 'SUBMITTED', { upstreamId });
      await this.events.add(tx, runId, { type: 'step', stepKey: step.key, state: 'SUBMITTED' });
      return true;
    });
    // An answer that names the job of another step says nothing of this one.
    return isKept ? 'again' : this.leaveOutcomeOpen(work);
  }

  /** The outcome is unknown, unless a webhook has named the job meanwhile: then the job is simply asked about. */
  private async leaveOutcomeOpen({ organizationId, step, lease }: StepWork): Promise<Next> {
    return this.organizationTx.run(organizationId, async (tx): Promise<Next> => {
      await this.runs.lock(tx, step.runId);
      const current = await this.runs.step(tx, step.id);
      if (current.upstreamId === undefined) {
        await this.endStep.loseOutcome(tx, current, lease);
        // A provider that lists its jobs is asked whether it has this one (look-for-lost-job.ts).
        return 'again';
      }
      await this.runs.changeStep(tx, step.id, lease, 'SUBMITTING', 'SUBMITTED');
      return 'again';
    });
  }
}

const REFUSALS: readonly ErrorCode[] = [
  'clearance_under_review',
  'clearance_denied',
  'inputs_erased',
  'invalid_request',
  'budget_exceeded',
  'price_unknown',
  'provider_not_configured',
];

/** Rounded up, so that a step is never early. */
function secondsUntil(time: Date | undefined): number {
  return time === undefined ? 0 : Math.ceil((time.getTime() - Date.now()) / 1000);
}

/** Reasons for which a reserved step is never sent. Anything thrown later has its own handling. */
function refusalBeforeSending(error: unknown): ErrorCode | undefined {
  return error instanceof ColophonError && REFUSALS.includes(error.code) ? error.code : undefined;
}

function failureOf(error: unknown): { code: ErrorCode; reason: string } {
  if (error instanceof ColophonError) return { code: error.code, reason: error.message };
  return { code: 'internal', reason: 'The step failed on this machine.' };
}
