import { type OrganizationTx } from '../../database/organization-tx.js';
import { type LogKeyRecord, readLogKeyRecords } from './log-key-records.js';
import { type HeldLogKeys, type LogKeys } from './log-keys.port.js';

/**
 * Brings the keystore to what the log says of its keys. The only place where a key begins or ends to sign, so that a
 * rotation that went on and one that was cut off by a crash take the same way. Any number of processes may run it.
 *
 * Crash between the entry and this: a key that was added does not sign yet, one that was retired still does. The next
 * start of a sequencer, or the next request about keys, makes up for it.
 */
export class SettleLogKeys {
  constructor(
    private readonly organizationTx: OrganizationTx,
    private readonly keys: LogKeys,
    /** Publishes a log, after asking whether anything speaks against it. */
    private readonly publish: (organizationId: string) => Promise<unknown>,
  ) {}

  /**
   * When this resolves, readers who know only the new key can verify the published checkpoint. Where it cannot be
   * published at the moment the keys are settled all the same: the sequencer says why in its own round.
   */
  async settleAndPublish(organizationId: string): Promise<void> {
    await this.settle(organizationId);
    await this.publish(organizationId).catch(() => undefined);
  }

  async settle(organizationId: string): Promise<void> {
    const records = await this.organizationTx.run(organizationId, readLogKeyRecords);
    const before = await this.keys.held(organizationId);
    for (const { vkey, retired } of records.keys)
      if (retired === undefined && before.prepared.includes(vkey))
        await this.keys.activate(organizationId, vkey);
    const held = await this.keys.held(organizationId);
    for (const { vkey, serial } of records.keys.filter((key) => isToBePutAway(key, held)))
      await this.keys.retire(organizationId, { vkey, serial, lastSize: records.size });
  }
}

function isToBePutAway({ vkey, retired }: LogKeyRecord, held: HeldLogKeys): boolean {
  const isHeld = [...held.active, ...held.prepared].includes(vkey);
  const isPutAway = held.retired.includes(vkey);
  if (retired !== undefined) return isHeld || !isPutAway;
  // Lost: it signs no more, whatever the log says. What it has signed must be readable for us under the next key.
  return !isHeld && !isPutAway && held.active.length > 0;
}
