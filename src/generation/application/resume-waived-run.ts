import { type Tx } from '../../database/organization-tx.js';
import { type KeyMode } from '../../identity/domain/api-key.js';
import { refuseTestKeyOnLive } from '../../identity/domain/key-mode.js';
import { type RunRepository } from '../adapters/run.repository.js';
import { type EndStep } from './end-step.js';
import { type RunEvents } from './run-events.js';

/** Runs that waited for a waiver of this clearance start now. */
export class ResumeWaivedRun {
  constructor(
    private readonly runs: RunRepository,
    private readonly endStep: EndStep,
    private readonly events: RunEvents,
  ) {}

  async resume(tx: Tx, clearanceId: string, keyMode: KeyMode): Promise<string[]> {
    const waiting = await tx.query<{ id: string; mode: KeyMode }>(
      `SELECT id, mode FROM run WHERE organization_id = $1 AND clearance_id = $2 AND state = 'WAITING_FOR_WAIVER' FOR UPDATE`,
      [tx.organizationId, clearanceId],
    );
    for (const { id, mode } of waiting) {
      refuseTestKeyOnLive(keyMode, mode, 'The waiting run');
      await this.runs.setRunState(tx, id, 'RUNNING', false);
      await this.events.add(tx, id, { type: 'run', state: 'RUNNING' });
      await this.endStep.continueRun(tx, await this.runs.get(tx, id));
    }
    return waiting.map(({ id }) => id);
  }
}
