import { type Tx } from '../../database/organization-tx.js';
import { type KeyMode } from '../../identity/domain/api-key.js';
import { type RequireLiveKey } from '../../licenses/application/require-live-key.js';
import { type RunRepository } from '../adapters/run.repository.js';
import { type EndStep } from './end-step.js';
import { type RunEvents } from './run-events.js';

/**
 * Runs that waited for a waiver of this clearance start now. A waiver also lets what these runs made be released, so
 * a test key is refused when any run of the clearance is a live one, waiting or not.
 */
export class ResumeWaivedRun {
  constructor(
    private readonly runs: RunRepository,
    private readonly requireLiveKey: RequireLiveKey,
    private readonly endStep: EndStep,
    private readonly events: RunEvents,
  ) {}

  async resume(tx: Tx, clearanceId: string, keyMode: KeyMode): Promise<string[]> {
    const runs = await tx.query<{ id: string; state: string }>(
      'SELECT id, state FROM run WHERE organization_id = $1 AND clearance_id = $2 FOR UPDATE',
      [tx.organizationId, clearanceId],
    );
    // After the lock: no run of this clearance is added under our hands.
    await this.requireLiveKey.check(tx, keyMode, clearanceId);
    const waiting = runs.filter(({ state }) => state === 'WAITING_FOR_WAIVER');
    for (const { id } of waiting) {
      this.runs.setRunState(tx, id, 'RUNNING', false);
      await this.events.add(tx, id, { type: 'run', state: 'RUNNING' });
      await this.endStep.continueRun(tx, await this.runs.get(tx, id));
    }
    return waiting.map(({ id }) => id);
  }
}
