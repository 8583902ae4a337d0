import { type AppendEntry } from '../../audit/application/append-entry.js';
import { type Tx } from '../../database/organization-tx.js';
import { actorOf } from '../../identity/application/actor.js';
import { refuseTestKeyOnLive } from '../../identity/domain/key-mode.js';
import { type Principal } from '../../identity/domain/principal.js';
import { ColophonError } from '../../shared/errors.js';
import { publicId } from '../../shared/ids.js';
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
    private readonly appendEntry: AppendEntry,
  ) {}

  /** Asked for again, it changes nothing more, and there is no second entry. */
  async cancel(tx: Tx, runId: string, principal: Principal): Promise<void> {
    const run = await this.runs.lock(tx, runId);
    refuseTestKeyOnLive(principal.mode, run.mode, 'The run');
    if (TERMINAL_RUN_STATES.includes(run.state))
      throw new ColophonError('run_not_cancelable', `The run is ${run.state}.`);
    if (run.cancelRequestedAt === undefined) {
      await this.runs.requestCancel(tx, runId);
      await this.appendEntry.append(tx, {
        type: 'run.cancel_requested',
        projectId: run.projectId,
        actor: actorOf(principal),
        subject: { kind: 'run', id: publicId('run', run.id) },
        data: { state: run.state },
      });
    }
    await this.endStep.continueRun(tx, await this.runs.get(tx, runId));
  }
}
