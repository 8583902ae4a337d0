import { randomUUID } from 'node:crypto';
import { type AssetStore } from '../../assets/domain/asset-store.port.js';
import { type AppendEntry } from '../../audit/application/append-entry.js';
import { type OrganizationTx, type Tx } from '../../database/organization-tx.js';
import { SYSTEM_ACTOR } from '../../identity/application/actor.js';
import { type RequireCleared } from '../../licenses/application/require-cleared.js';
import { sha256Hex } from '../../shared/bytes.js';
import { canonicalJson, type JsonValue } from '../../shared/canonical-json.js';
import { ColophonError, type ErrorCode } from '../../shared/errors.js';
import { publicId } from '../../shared/ids.js';
import { type Lease, LeaseLostError, type RunRepository } from '../adapters/run.repository.js';
import {
  type AcceptedStep,
  type CompletedStep,
  type FailedStep,
  OutcomeUnknownError,
  type ProviderRequest,
} from '../domain/provider.port.js';
import { type Run, type StepRun, TERMINAL_STEP_STATES } from '../domain/run.js';
import { type WakeUpQueue } from '../domain/wake-up.port.js';
import { type CaptureOutput } from './capture-output.js';
import { type CompleteStep } from './complete-step.js';
import { type EndStep } from './end-step.js';
import { type Providers } from './providers.js';
import { type RunEvents } from './run-events.js';
import { InputsErasedError, type StepInputs } from './step-inputs.js';

export interface AdvanceOptions {
  readonly leaseSeconds: number;
  /** Between two questions to a provider. */
  readonly pollSeconds: number;
  /** Before trying again when our own signer or store is unavailable: the output is held, never released. */
  readonly holdSeconds: number;
  /** A submitted job without an answer after this time is given up, and paid as estimated. */
  readonly giveUpAfterSeconds: number;
}

/** Errors that do not go away by trying again. */
const DEFINITE: readonly ErrorCode[] = [
  'upstream_invalid',
  'upstream_error',
  'url_blocked',
  'unsupported_media',
  'media_corrupt',
  'media_too_large',
];

/** What to do after one transition. */
type Next = 'again' | 'stop' | { readonly wakeInSeconds: number };

/**
 * Drives one step along the ledger. Every wake-up leads here, whatever the reason; what happens depends on the
 * committed state alone, so the first attempt and the recovery after a crash are the same code.
 */
export class AdvanceStep {
  constructor(
    private readonly organizationTx: OrganizationTx,
    private readonly runs: RunRepository,
    private readonly providers: Providers,
    private readonly requireCleared: RequireCleared,
    private readonly stepInputs: StepInputs,
    private readonly store: AssetStore,
    private readonly captureOutput: CaptureOutput,
    private readonly completeStep: CompleteStep,
    private readonly endStep: EndStep,
    private readonly events: RunEvents,
    private readonly appendEntry: AppendEntry,
    private readonly wakeUps: WakeUpQueue,
    private readonly options: AdvanceOptions,
  ) {}

  async advance(organizationId: string, stepRunId: string): Promise<void> {
    const lease: Lease = { token: randomUUID() };
    const acquired = await this.organizationTx.run(organizationId, async (tx) => {
      const step = await this.runs.acquireLease(tx, stepRunId, lease.token, this.options.leaseSeconds);
      if (step) return step;
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
    if (!acquired) return;
    const abort = new AbortController();
    const renewal = setInterval(
      () => {
        this.organizationTx
          .run(organizationId, (tx) => this.runs.renewLease(tx, stepRunId, lease, this.options.leaseSeconds))
          .catch((error: unknown) => abort.abort(error));
      },
      (this.options.leaseSeconds * 1000) / 3,
    );
    try {
      await this.untilWaiting(organizationId, stepRunId, lease, abort.signal);
    } catch (error) {
      if (!(error instanceof LeaseLostError)) throw error;
    } finally {
      clearInterval(renewal);
      await this.organizationTx.run(organizationId, (tx) => this.runs.releaseLease(tx, stepRunId, lease));
    }
  }

  private async untilWaiting(
    organizationId: string,
    stepRunId: string,
    lease: Lease,
    signal: AbortSignal,
  ): Promise<void> {
    for (;;) {
      const { run, step } = await this.organizationTx.run(organizationId, async (tx) => {
        const current = await this.runs.step(tx, stepRunId);
        return { step: current, run: await this.runs.get(tx, current.runId) };
      });
      const next = await this.transition(organizationId, run, step, lease, signal);
      if (next === 'again') continue;
      if (next !== 'stop') {
        await this.organizationTx.run(organizationId, (tx) =>
          this.wakeUps.wakeStep(tx, stepRunId, next.wakeInSeconds),
        );
      }
      return;
    }
  }

  private async transition(
    organizationId: string,
    run: Run,
    step: StepRun,
    lease: Lease,
    signal: AbortSignal,
  ): Promise<Next> {
    switch (step.state) {
      case 'RESERVED':
        return this.begin(organizationId, run, step, lease, signal);
      case 'SUBMITTING':
        return this.recoverSubmission(organizationId, run, step, lease, signal);
      case 'SUBMITTED':
        return this.poll(organizationId, step, lease, signal);
      case 'CAPTURED':
        return this.complete(organizationId, run, step, lease);
      case 'OUTCOME_UNKNOWN':
      case 'SUCCEEDED':
      case 'FAILED':
      case 'SKIPPED':
      case 'CANCELED':
        return 'stop';
    }
  }

  private async begin(
    organizationId: string,
    run: Run,
    step: StepRun,
    lease: Lease,
    signal: AbortSignal,
  ): Promise<Next> {
    if (run.state !== 'RUNNING') return 'stop';
    try {
      const salted = await this.providerRequest(organizationId, run, step);
      const ready = await this.organizationTx.run(organizationId, (tx) =>
        this.commitIntent(tx, step, lease, salted),
      );
      return ready ? await this.submit(organizationId, step, lease, salted.request, signal) : 'stop';
    } catch (error) {
      const code = refusalBeforeSending(error);
      if (code === undefined) throw error;
      const reason = error instanceof Error ? error.message : '';
      return this.failed(organizationId, step, lease, { code, reason, charged: false });
    }
  }

  /**
   * Intent before spend (promise P2): SUBMITTING and its entry are committed before anything leaves this machine.
   * @returns false when the step is not to be sent now
   * @throws ColophonError when the license decision does not hold any more
   */
  private async commitIntent(tx: Tx, step: StepRun, lease: Lease, salted: SaltedRequest): Promise<boolean> {
    const run = await this.runs.lock(tx, step.runId);
    if (run.cancelRequestedAt !== undefined) {
      await this.endStep.continueRun(tx, run);
      return false;
    }
    const done = (await this.runs.steps(tx, run.id)).filter(
      ({ state }) => state === 'SUCCEEDED' || state === 'SKIPPED',
    );
    if (!step.dependsOn.every((key) => done.some((other) => other.key === key))) return false;
    await this.requireCleared.check(tx, run.clearanceId);
    const requestSha256 = requestHash(salted);
    await this.runs.changeStep(tx, step.id, lease, 'RESERVED', 'SUBMITTING', { requestSha256 });
    await this.appendEntry.append(tx, {
      type: 'step.submitted',
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

  /** A worker died between its intent and the provider's answer. */
  private async recoverSubmission(
    organizationId: string,
    run: Run,
    step: StepRun,
    lease: Lease,
    signal: AbortSignal,
  ): Promise<Next> {
    if (this.providers.get(step.provider).resubmission === 'harmless') {
      const { request } = await this.providerRequest(organizationId, run, step);
      return this.submit(organizationId, step, lease, request, signal);
    }
    return this.leaveOutcomeOpen(organizationId, step, lease);
  }

  /** The outcome is unknown, unless a webhook has named the job meanwhile: then the job is simply asked about. */
  private async leaveOutcomeOpen(organizationId: string, step: StepRun, lease: Lease): Promise<Next> {
    return this.organizationTx.run(organizationId, async (tx) => {
      await this.runs.lock(tx, step.runId);
      const current = await this.runs.step(tx, step.id);
      if (current.upstreamId === undefined) {
        await this.endStep.loseOutcome(tx, current, lease);
        return 'stop';
      }
      await this.runs.changeStep(tx, step.id, lease, 'SUBMITTING', 'SUBMITTED');
      return 'again';
    });
  }

  private async submit(
    organizationId: string,
    step: StepRun,
    lease: Lease,
    request: ProviderRequest,
    signal: AbortSignal,
  ): Promise<Next> {
    const provider = this.providers.get(step.provider);
    const submitting: StepRun = { ...step, state: 'SUBMITTING' };
    let answer: CompletedStep | AcceptedStep | FailedStep;
    try {
      answer = await provider.submit(request, signal);
    } catch (error) {
      if (provider.resubmission === 'harmless' && !(error instanceof OutcomeUnknownError)) {
        return this.failed(organizationId, submitting, lease, { ...failureOf(error), charged: false });
      }
      // Whatever went wrong went wrong after the request may have left: only a definite refusal is a failure.
      return this.leaveOutcomeOpen(organizationId, submitting, lease);
    }
    switch (answer.kind) {
      case 'failed':
        return this.failed(organizationId, submitting, lease, {
          code: answer.code,
          reason: answer.reason,
          charged: false,
        });
      case 'accepted': {
        const { upstreamId } = answer;
        await this.organizationTx.run(organizationId, async (tx) => {
          const { runId } = await this.runs.step(tx, step.id);
          await this.runs.lock(tx, runId);
          await this.runs.changeStep(tx, step.id, lease, 'SUBMITTING', 'SUBMITTED', { upstreamId });
          await this.events.add(tx, runId, { type: 'step', stepKey: step.key, state: 'SUBMITTED' });
        });
        return 'again';
      }
      case 'completed':
        return this.capture(organizationId, submitting, lease, answer);
    }
  }

  private async poll(
    organizationId: string,
    step: StepRun,
    lease: Lease,
    signal: AbortSignal,
  ): Promise<Next> {
    if (step.upstreamId === undefined) throw new Error(`submitted step ${step.id} has no upstream id`);
    const waitedSeconds = (Date.now() - step.updatedAt.getTime()) / 1000;
    try {
      const job = { endpoint: step.endpoint, upstreamId: step.upstreamId };
      const answer = await this.providers.get(step.provider).poll(job, signal);
      if (answer.kind === 'completed') return await this.capture(organizationId, step, lease, answer);
      if (answer.kind === 'failed') {
        // A job that ended with an unusable answer may have been billed: never report less than was spent.
        const charged = answer.code === 'upstream_invalid';
        return await this.failed(organizationId, step, lease, {
          code: answer.code,
          reason: answer.reason,
          charged,
        });
      }
    } catch (error) {
      if (error instanceof LeaseLostError || (error instanceof ColophonError && error.status === 503))
        throw error;
      // The provider has the job: an address that stays unreachable is asked again, until the deadline.
    }
    if (waitedSeconds > this.options.giveUpAfterSeconds) {
      const reason = 'The provider accepted the job and gave no usable answer in time.';
      return this.failed(organizationId, step, lease, { code: 'upstream_timeout', reason, charged: true });
    }
    return { wakeInSeconds: this.options.pollSeconds };
  }

  private async capture(
    organizationId: string,
    step: StepRun,
    lease: Lease,
    answer: CompletedStep,
  ): Promise<Next> {
    const billed = answer.billedUnits === undefined ? {} : { billedUnits: answer.billedUnits };
    try {
      const captured = await this.captureOutput.capture(organizationId, answer.outputs);
      await this.organizationTx.run(organizationId, async (tx) => {
        await this.runs.lock(tx, step.runId);
        await this.runs.changeStep(tx, step.id, lease, step.state, 'CAPTURED', {
          ...billed,
          claims: { ...answer.claims },
          originalSha256: captured.sha256,
          originalMediaType: captured.mediaType,
        });
        await this.events.add(tx, step.runId, { type: 'step', stepKey: step.key, state: 'CAPTURED' });
      });
      return 'again';
    } catch (error) {
      if (!(error instanceof ColophonError) || !DEFINITE.includes(error.code)) throw error;
      // The provider did its work and is paid for it, although what it sent cannot be used.
      return this.failed(organizationId, { ...step, ...billed }, lease, {
        code: error.code,
        reason: error.message,
        charged: true,
      });
    }
  }

  private async complete(organizationId: string, run: Run, step: StepRun, lease: Lease): Promise<Next> {
    try {
      await this.completeStep.complete(organizationId, run, step, lease);
      return 'stop';
    } catch (error) {
      if (error instanceof ColophonError && error.status === 503)
        return { wakeInSeconds: this.options.holdSeconds };
      if (!(error instanceof ColophonError)) throw error;
      return this.failed(organizationId, step, lease, {
        code: error.code,
        reason: error.message,
        charged: true,
      });
    }
  }

  private async failed(
    organizationId: string,
    step: StepRun,
    lease: Lease,
    failure: { code: ErrorCode; reason: string; charged: boolean },
  ): Promise<Next> {
    await this.organizationTx.run(organizationId, (tx) => this.endStep.fail(tx, step, lease, failure));
    return 'stop';
  }

  private async providerRequest(organizationId: string, run: Run, step: StepRun): Promise<SaltedRequest> {
    const { inputs, assets } = await this.organizationTx.run(organizationId, async (tx) => ({
      inputs: await this.stepInputs.open(tx, run, step),
      assets: await this.stepInputs.images(tx, run, step),
    }));
    const images: Record<string, { path: string; mediaType: string; sha256: string }> = {};
    for (const [name, asset] of Object.entries(assets)) {
      const path = await this.store.localPath(organizationId, asset.sha256);
      images[name] = { path, mediaType: asset.mediaType, sha256: asset.sha256 };
    }
    const { parameters, salt } = inputs;
    const request = {
      stepRunId: step.id,
      operation: step.operation,
      endpoint: step.endpoint,
      parameters,
      images,
    };
    return { request, salt };
  }
}

/** Reasons for which a reserved step is never sent. Anything thrown later has its own handling. */
function refusalBeforeSending(error: unknown): ErrorCode | undefined {
  if (error instanceof InputsErasedError) return 'conflict';
  const refused =
    error instanceof ColophonError && ['clearance_under_review', 'clearance_denied'].includes(error.code);
  return refused ? error.code : undefined;
}

interface SaltedRequest {
  readonly request: ProviderRequest;
  readonly salt: string;
}

/** SHA-256(salt || canonical JSON of the request): fixes what was asked without letting a prompt be guessed. */
function requestHash({ request, salt }: SaltedRequest): string {
  const images = Object.fromEntries(
    Object.entries(request.images).map(([name, { sha256 }]) => [name, sha256]),
  );
  const parameters = request.parameters as Record<string, JsonValue>;
  return sha256Hex(
    Buffer.from(salt, 'base64url'),
    canonicalJson({ endpoint: request.endpoint, parameters, images }),
  );
}

function failureOf(error: unknown): { code: ErrorCode; reason: string } {
  if (error instanceof ColophonError) return { code: error.code, reason: error.message };
  return { code: 'internal', reason: 'The step failed on this machine.' };
}
