import { type AppendEntry } from '../../audit/application/append-entry.js';
import { type Tx } from '../../database/organization-tx.js';
import { SYSTEM_ACTOR } from '../../identity/application/actor.js';
import { type Clock } from '../../shared/clock.js';
import { ColophonError, type ErrorCode } from '../../shared/errors.js';
import { publicId } from '../../shared/ids.js';
import { type MicroUsd } from '../../shared/money.js';
import { type Lease, type RunRepository } from '../adapters/run.repository.js';
import { claimsOf, type ContentRefusal } from '../domain/content-refusal.js';
import { type NotAccepted } from '../domain/provider.port.js';
import { billedMicroUsd } from '../domain/price.js';
import { estimateInUse } from '../domain/step-plan.js';
import {
  type Run,
  type RunState,
  type StepRun,
  type StepState,
  TERMINAL_RUN_STATES,
  TERMINAL_STEP_STATES,
} from '../domain/run.js';
import {
  askedAbout,
  type Move,
  nextMoves,
  type PlannedNode,
  runStateOf,
  type SkipReason,
} from '../domain/run-moves.js';
import { type WakeUpQueue } from '../domain/wake-up.port.js';
import { type Money, type SettlementBasis } from './money.js';
import { type ReadOutputFacts } from './output-facts.js';
import { type OwnPrices } from './own-prices.js';
import { type RunEvents } from './run-events.js';

/** Why a step ends without an asset. */
export interface StepFailure {
  readonly code: ErrorCode;
  /** For people; no prompt. */
  readonly reason: string;
  /** The provider took the job, so it is paid even though nothing usable came back. */
  readonly charged: boolean;
  readonly contentRefusal?: ContentRefusal | undefined;
  /** The vendor certainly has not taken the request, and another time may be better. */
  readonly notAccepted?: NotAccepted | undefined;
}

/** Ends of a step and what follows for its run. Every function works inside a transaction that has locked the run. */
export class EndStep {
  constructor(
    private readonly runs: RunRepository,
    private readonly money: Money,
    private readonly events: RunEvents,
    private readonly wakeUps: WakeUpQueue,
    private readonly appendEntry: AppendEntry,
    private readonly prices: OwnPrices,
    private readonly outputFacts: ReadOutputFacts,
    private readonly clock: Clock,
  ) {}

  /**
   * Records the asset, pays, wakes the steps that waited for it, and sees whether the run is done.
   * @param record writes the asset, once it is certain that this worker still holds the step
   */
  async succeed(
    tx: Tx,
    step: StepRun,
    lease: Lease,
    assetId: string,
    record: () => Promise<unknown>,
  ): Promise<void> {
    // The server does them in this order, and nothing is written before it is known that the lease held.
    const [run, , settlement] = await Promise.all([
      this.runs.lock(tx, step.runId),
      this.runs.changeStep(tx, step.id, lease, 'CAPTURED', 'SUCCEEDED', {
        outputAssetId: assetId,
        progress: 1,
      }),
      this.settlementOf(tx, step),
    ]);
    await this.money.settle(tx, run.projectId, step, settlement);
    await record();
    await this.events.add(tx, run.id, {
      type: 'step',
      stepKey: step.key,
      state: 'SUCCEEDED',
      assetId: publicId('asset', assetId),
      costMicroUsd: settlement.cost.toString(),
    });
    await this.continueRun(tx, run, [step.key]);
  }

  async fail(tx: Tx, step: StepRun, lease: Lease, failure: StepFailure): Promise<void> {
    const run = await this.runs.lock(tx, step.runId);
    const { code, reason, charged, contentRefusal } = failure;
    await this.runs.changeStep(tx, step.id, lease, step.state, 'FAILED', {
      errorCode: code,
      errorDetail: reason.slice(0, 500),
      ...(contentRefusal === undefined ? {} : { claims: claimsOf(contentRefusal) }),
    });
    await this.recordFailure(tx, run, step, code);
    if (charged) {
      await this.money.settle(tx, run.projectId, step, await this.settlementOf(tx, step));
    } else {
      await this.money.release(tx, step);
    }
    await this.events.add(tx, run.id, { type: 'step', stepKey: step.key, state: 'FAILED', errorCode: code });
    await this.continueRun(tx, run, [step.key]);
  }

  private async recordFailure(tx: Tx, run: Run, step: StepRun, code: ErrorCode): Promise<void> {
    await this.appendEntry.append(tx, {
      type: 'step.failed',
      projectId: run.projectId,
      actor: SYSTEM_ACTOR,
      subject: { kind: 'step_run', id: publicId('stepRun', step.id) },
      data: { runId: publicId('run', run.id), stepKey: step.key, provider: step.provider, code },
    });
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
    await this.continueRun(tx, run, []);
  }

  /**
   * A person ends the uncertainty about a step of which nothing usable came.
   * @param cost what the vendor charged by their word; `undefined`: nothing, so the reservation is given back
   */
  async endUnknown(tx: Tx, run: Run, step: StepRun, cost: MicroUsd | undefined): Promise<void> {
    const change = { errorCode: 'upstream_error', errorDetail: 'A person said that nothing came of it.' };
    if (!(await this.runs.changeUnleased(tx, step.id, 'OUTCOME_UNKNOWN', 'FAILED', change))) return;
    await this.recordFailure(tx, run, step, 'upstream_error');
    if (cost === undefined) await this.money.release(tx, step);
    else await this.money.settle(tx, run.projectId, step, { cost, basis: 'stated' });
    await this.events.add(tx, run.id, {
      type: 'step',
      stepKey: step.key,
      state: 'FAILED',
      errorCode: 'upstream_error',
    });
    await this.continueRun(tx, run, [step.key]);
  }

  /** A person has answered; the step hands on this asset. */
  async answered(tx: Tx, run: Run, step: StepRun, assetId: string): Promise<void> {
    await this.leaveWaiting(tx, step, 'SUCCEEDED', { outputAssetId: assetId });
    await this.money.release(tx, step);
    await this.events.add(tx, run.id, {
      type: 'step',
      stepKey: step.key,
      state: 'SUCCEEDED',
      assetId: publicId('asset', assetId),
    });
    await this.continueRun(tx, run, [step.key]);
  }

  /** A person has said no. */
  async rejected(
    tx: Tx,
    run: Run,
    step: StepRun,
    { code, reason }: Omit<StepFailure, 'charged'>,
  ): Promise<void> {
    await this.leaveWaiting(tx, step, 'FAILED', { errorCode: code, errorDetail: reason });
    await this.recordFailure(tx, run, step, code);
    await this.money.release(tx, step);
    await this.events.add(tx, run.id, { type: 'step', stepKey: step.key, state: 'FAILED', errorCode: code });
    await this.continueRun(tx, run, [step.key]);
  }

  private async leaveWaiting(
    tx: Tx,
    step: StepRun,
    to: StepState,
    change: Parameters<RunRepository['changeUnleased']>[4],
  ): Promise<void> {
    if (!(await this.runs.changeUnleased(tx, step.id, 'WAITING', to, change)))
      throw new ColophonError('conflict', 'The step does not wait any more.');
  }

  /**
   * Wakes what is ready, asks people, gives up what cannot be done any more, and ends the run when nothing is left.
   * @param ended keys of steps that ended just now; absent when every step is to be looked at
   */
  async continueRun(tx: Tx, run: Run, ended?: readonly string[]): Promise<void> {
    let steps = await this.runs.steps(tx, run.id);
    let recent = ended === undefined ? undefined : new Set(ended);
    const isCanceled = run.cancelRequestedAt !== undefined;
    const begun = new Set<string>();
    for (;;) {
      const nodes = steps.map(nodeOf);
      const facts = await this.outputFacts.of(tx, steps, askedAbout(nodes, recent));
      const moves = nextMoves(nodes, isCanceled, (key) => facts.get(key), recent);
      const moved = new Map<string, StepRun>();
      for (const move of moves) {
        if (begun.has(move.key)) continue;
        const step = steps.find(({ key }) => key === move.key);
        if (step === undefined) continue;
        if (move.kind === 'wake') begun.add(move.key);
        moved.set(move.key, await this.make(tx, run, step, move, steps));
      }
      steps = steps.map((step) => moved.get(step.key) ?? step);
      const over = [...moved.values()].filter(({ state }) => TERMINAL_STEP_STATES.includes(state));
      if (over.length === 0) break;
      if (recent !== undefined) recent = new Set([...recent, ...over.map(({ key }) => key)]);
    }
    await this.moveRun(tx, run, runStateOf(steps, isCanceled));
  }

  /** @returns the step as it is then */
  private async make(
    tx: Tx,
    run: Run,
    step: StepRun,
    move: Move,
    steps: readonly StepRun[],
  ): Promise<StepRun> {
    switch (move.kind) {
      case 'wake':
        await this.wakeUps.wakeStep(tx, step.id);
        return step;
      case 'ask':
        return this.ask(tx, run, step);
      case 'cancel':
        return this.giveUp(tx, run, step, 'CANCELED', {});
      case 'skip':
        return this.giveUp(tx, run, step, 'SKIPPED', { skipReason: move.reason });
      case 'pass': {
        const outputAssetId = passedOn(step, steps);
        return this.giveUp(tx, run, step, 'SKIPPED', { skipReason: 'condition', outputAssetId });
      }
    }
  }

  /** Nobody holds the step while a person has time; it is looked at again when the time is over. */
  private async ask(tx: Tx, run: Run, step: StepRun): Promise<StepRun> {
    const deadlineSeconds = (step.plan?.human?.deadlineMinutes ?? 0) * 60;
    const waitsUntil = new Date(this.clock.now().getTime() + deadlineSeconds * 1000);
    if (!(await this.runs.changeUnleased(tx, step.id, 'RESERVED', 'WAITING', { waitsUntil }))) return step;
    await this.events.add(tx, run.id, { type: 'step', stepKey: step.key, state: 'WAITING' });
    await this.wakeUps.wakeStep(tx, step.id, deadlineSeconds);
    return { ...step, state: 'WAITING', waitsUntil };
  }

  /** Never sent, and never will be. A worker that was about to send it finds that it may not. */
  private async giveUp(
    tx: Tx,
    run: Run,
    step: StepRun,
    state: 'CANCELED' | 'SKIPPED',
    change: { readonly skipReason?: SkipReason; readonly outputAssetId?: string },
  ): Promise<StepRun> {
    if (!(await this.runs.changeUnleased(tx, step.id, step.state, state, change))) return step;
    await this.money.release(tx, step);
    if (state === 'SKIPPED') {
      await this.appendEntry.append(tx, {
        type: 'step.skipped',
        projectId: run.projectId,
        actor: SYSTEM_ACTOR,
        subject: { kind: 'step_run', id: publicId('stepRun', step.id) },
        data: {
          runId: publicId('run', run.id),
          stepKey: step.key,
          reason: change.skipReason ?? 'condition',
          ...(change.outputAssetId === undefined
            ? {}
            : { passedAssetId: publicId('asset', change.outputAssetId) }),
        },
      });
    }
    await this.events.add(tx, run.id, { type: 'step', stepKey: step.key, state });
    return { ...step, ...change, state };
  }

  /** What the provider reported, at the price of the day of the reservation; else the reserved estimate. */
  private async settlementOf(tx: Tx, step: StepRun): Promise<{ cost: MicroUsd; basis: SettlementBasis }> {
    if (step.provider === 'studio' || step.provider === 'sandbox' || step.provider === 'people')
      return { cost: 0n, basis: 'free' };
    const price = await this.prices.ofStep(tx, step);
    const billed = price && step.usage && billedMicroUsd(price, step.usage);
    return billed === undefined
      ? { cost: estimateInUse(step), basis: 'estimate' }
      : { cost: billed, basis: 'billed' };
  }

  private async moveRun(tx: Tx, run: Run, state: RunState): Promise<void> {
    if (state === run.state) return;
    const finished = TERMINAL_RUN_STATES.includes(state);
    this.runs.setRunState(tx, run.id, state, finished);
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

export function nodeOf({ key, state, dependsOn, plan, outputAssetId }: StepRun): PlannedNode {
  return { key, state, dependsOn, plan, hasOutput: outputAssetId !== undefined };
}

/** The asset that a step hands on in place of one of its own. */
function passedOn({ key, plan }: StepRun, steps: readonly StepRun[]): string {
  const passOn = plan?.passOn;
  const assetId =
    passOn !== undefined && 'assetId' in passOn
      ? passOn.assetId
      : steps.find((step) => step.key === passOn?.stepKey)?.outputAssetId;
  if (assetId === undefined) throw new Error(`the step ${key} has nothing to hand on`);
  return assetId;
}
