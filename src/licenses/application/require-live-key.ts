import { type Tx } from '../../database/organization-tx.js';
import { type KeyMode } from '../../identity/domain/api-key.js';
import { refuseTestKeyOnLive } from '../../identity/domain/key-mode.js';
import { type WorkBehindClearances } from './work-behind-clearances.js';

/**
 * Whoever decides again or accepts what was left open acts on every run of the clearance, and on what these runs made:
 * a test key does not when one of them is live, whatever became of it.
 */
export class RequireLiveKey {
  constructor(private readonly work: Pick<WorkBehindClearances, 'isLive'>) {}

  /** @throws ColophonError `wrong_mode` */
  async check(tx: Tx, keyMode: KeyMode, rootId: string): Promise<void> {
    if (keyMode === 'live' || !(await this.work.isLive(tx, rootId))) return;
    refuseTestKeyOnLive(keyMode, 'live', 'A run of this clearance');
  }
}
