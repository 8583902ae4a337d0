import { type AppendEntry } from '../../audit/application/append-entry.js';
import { type Tx } from '../../database/organization-tx.js';
import { SYSTEM_ACTOR } from '../../identity/application/actor.js';
import { type ErrorCode } from '../../shared/errors.js';
import { publicId } from '../../shared/ids.js';
import { type MicroUsd } from '../../shared/money.js';
import { type Lease, type RunRepository } from '../adapters/run.repository.js';
import { type Offerings } from '../domain/offering.js';
import { billedMicroUsd } from '../domain/price.js';
import {
  type Run,
  type RunState,
  type StepRun,
  type StepState,
  TERMINAL_RUN_STATES,
  TERMINAL_STEP_STATES,
} from '../domain/run.js';
import { type WakeUpQueue } from '../domain/wake-up.port.js';
import { type Money, type SettlementBasis } from './money.js';
import { type RunEvents } from './run-events.js';

/** Why a step ends without an asset. */
export interface StepFailure {
  readonly code: ErrorCode;
  /** For people; no prompt. */
  readonly reason: string;
  /** The provider took the job, so it is paid even though nothing usable came back. */
  readonly charged: boolean;
}

/** Ends of a step and what follows for its run. Every function works inside a transaction that has locked the run. */
export class EndStep {
  constructor(
    private readonly runs: RunRepository,
    private readonly money: Money,
    private readonly events: RunEvents,
    private readonly wakeUps: WakeUpQueue,
    private readonly appendEntry: AppendEntry,
    private readonly offerings: Offerings,
  ) {}

  /** The asset is recorded; pay, wake the steps that waited for it, and see whether the run is done. */
  async succeed(tx: Tx, step: StepRun, lease: Lease, assetId: string): Promise<void> {
    const run = await this.runs.lock(tx, step.runId);
    await this.runs.changeStep(tx, step.id, lease, 'CAPTURED', 'SUCCEEDED', {
      outputAssetId: assetId,
      progress: 1,
    });
    const settlement = this.settlementOf(step);
    await this.money.settle(tx, run.projectId, step, settlement);
    await this.events.add(tx, run.id, {
      type: 'step',
      stepKey: step.key,
      state: 'SUCCEEDED',
      assetId: publicId('asset', assetId),
      costMicroUsd: settlement.cost.toString(),
    });
    await this.continueRun(tx, run);
  }

  async fail(tx: Tx, step: StepRun, lease: Lease, failure: StepFailure): Promise<void> {
    const run = await this.runs.lock(tx, step.runId);
    const { code, reason, charged } = failure;
    await this.runs.changeStep(tx, step.id, lease, step.state, 'FAILED', {
      errorCode: code,
      errorDetail: reason.slice(0, 500),
    });
    await this.appendEntry.append(tx, {
      type: 'step.failed',
      projectId: run.projectId,
      actor: SYSTEM_ACTOR,
      subject: { kind: 'step_run', id: publicId('stepRun', step.id) },
      data: { runId: publicId('run', run.id), stepKey: step.key, provider: step.provider, code },
    });
    if (charged) {
      await this.money.settle(tx, run.projectId, step, this.settlementOf(step));
    } else {
      await this.money.release(tx, step);
    }
    await this.events.add(tx, run.id, { type: 'step', stepKey: step.key, state: 'FAILED', errorCode: code });
    await this.continueRun(tx, run);
  }

  /** Nobody knows whether the provider has the job. Never resubmitted by itself (promise P2). */
  async loseOutcome(tx: Tx, step: StepRun, lease: Lease): Promise<void> {
    const run = await this.runs.lock(tx, step.runId);
    await this.runs.changeStep(tx, step.id, lease, 'SUBMITTING', 'OUTCOME_UNKNOWN');
    await this.appendEntry.append(tx, {
      type: 'step.outcome_unknown',
      projectId: run.projectId,
      actor: SYSTEM_ACTOR,
      subject: { kind: 'step_run', id: publicId('stepRun', step.id) },
      data: { runId: publicId('run', run.id), stepKey: step.key, provider: step.provider },
    });
    await this.events.add(tx, run.id, { type: 'step', stepKey: step.key, state: 'OUTCOME_UNKNOWN' });
    await this.continueRun(tx, run);
  }

  /** Never sent, and never will be. */
  async cancel(tx: Tx, run: Run, step: StepRun): Promise<void> {
    if (!(await this.runs.changeUnleased(tx, step.id, 'RESERVED', 'CANCELED'))) return;
    await this.money.release(tx, step);
    await this.events.add(tx, run.id, { type: 'step', stepKey: step.key, state: 'CANCELED' });
  }

  /** Wakes what is ready, gives up what cannot be done any more, and ends the run when nothing is left. */
  async continueRun(tx: Tx, run: Run): Promise<void> {
    const steps = await this.runs.steps(tx, run.id);
    const stateOf = new Map(steps.map(({ key, state }) => [key, state]));
    const hopeless =
      run.cancelRequestedAt !== undefined ||
      steps.some(({ state }) => state === 'FAILED' || state === 'CANCELED');
    for (const step of steps.filter(({ state }) => state === 'RESERVED')) {
      if (hopeless) {
        await this.cancel(tx, run, step);
        stateOf.set(step.key, 'CANCELED');
      } else if (step.dependsOn.every((key) => isDone(stateOf.get(key)))) {
        await this.wakeUps.wakeStep(tx, step.id);
      }
    }
    await this.moveRun(tx, run, runStateOf([...stateOf.values()], run.cancelRequestedAt !== undefined));
  }

  /** What the provider reported, else the reserved estimate. */
  private settlementOf(step: StepRun): { cost: MicroUsd; basis: SettlementBasis } {
    if (step.provider === 'studio' || step.provider === 'sandbox') return { cost: 0n, basis: 'free' };
    const price = this.offerings.find(step)?.price;
    const billed = price && step.usage && billedMicroUsd(price, step.usage);
    return billed === undefined
      ? { cost: step.reservedMicroUsd, basis: 'estimate' }
      : { cost: billed, basis: 'billed' };
  }

  private async moveRun(tx: Tx, run: Run, state: RunState): Promise<void> {
    if (state === run.state) return;
    const finished = TERMINAL_RUN_STATES.includes(state);
    await this.runs.setRunState(tx, run.id, state, finished);
    await this.events.add(tx, run.id, { type: 'run', state });
    if (!finished) return;
    await this.appendEntry.append(tx, {
      type: 'run.finished',
      projectId: run.projectId,
      actor: SYSTEM_ACTOR,
      subject: { kind: 'run', id: publicId('run', run.id) },
      data: { state },
    });
  }
}

function isDone(state: StepState | undefined): boolean {
  return state === 'SUCCEEDED' || state === 'SKIPPED';
}

/** The state of a run is a function of the states of its steps. */
export function runStateOf(states: readonly StepState[], cancelRequested: boolean): RunState {
  if (states.includes('OUTCOME_UNKNOWN')) return 'NEEDS_RECONCILIATION';
  if (states.some((state) => !TERMINAL_STEP_STATES.includes(state))) return 'RUNNING';
  if (states.includes('FAILED')) return 'FAILED';
  if (states.includes('CANCELED')) return cancelRequested ? 'CANCELED' : 'FAILED';
  return 'SUCCEEDED';
}
