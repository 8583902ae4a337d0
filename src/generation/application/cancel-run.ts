import { type Tx } from '../../database/organization-tx.js';
import { type KeyMode } from '../../identity/domain/api-key.js';
import { refuseTestKeyOnLive } from '../../identity/domain/key-mode.js';
import { ColophonError } from '../../shared/errors.js';
import { type RunRepository } from '../adapters/run.repository.js';
import { TERMINAL_RUN_STATES } from '../domain/run.js';
import { type EndStep } from './end-step.js';

/**
 * Nothing more is sent to a provider. A step that a provider already has goes on: it is paid for, so its output is
 * captured and signed like any other.
 */
export class CancelRun {
  constructor(
    private readonly runs: RunRepository,
    private readonly endStep: EndStep,
  ) {}

  async cancel(tx: Tx, runId: string, keyMode: KeyMode): Promise<void> {
    const run = await this.runs.lock(tx, runId);
    refuseTestKeyOnLive(keyMode, run.mode, 'The run');
    if (TERMINAL_RUN_STATES.includes(run.state))
      throw new ColophonError('run_not_cancelable', `The run is ${run.state}.`);
    if (run.cancelRequestedAt === undefined) await this.runs.requestCancel(tx, runId);
    await this.endStep.continueRun(tx, await this.runs.get(tx, runId));
  }
}
