import { ColophonError } from '../../shared/errors.js';
import { type OrganizationTx } from '../../database/organization-tx.js';
import { TlogError } from '../core/tlog-error.js';
import { formatWitnessPolicy, policyForLog, type WitnessPolicy } from '../core/witness-policy.js';
import { type AnchoredCheckpoints } from './anchored-checkpoints.js';
import { type LogKeys } from './log-keys.port.js';
import { openOwnCheckpoint } from './own-checkpoint.js';
import { CHECKPOINT_PATH } from './publish-log.js';
import { type TileStores } from './tile-store.port.js';

/** Proves that the bearer of a key belongs to an organization. @throws ColophonError */
export type IdentifyReader = (authorization: string | undefined) => Promise<{ organizationId: string }>;

/** The published files of every log. */
export class PublishedLogs {
  constructor(
    private readonly organizationTx: OrganizationTx,
    private readonly stores: TileStores,
    private readonly keys: LogKeys,
    private readonly anchored: AnchoredCheckpoints,
    private readonly witnessPolicy: WitnessPolicy,
    private readonly identifyReader: IdentifyReader,
  ) {}

  /** `undefined` while no checkpoint meets the policy, or when there is none to meet. */
  async witnessedCheckpoint(organizationId: string): Promise<Uint8Array | undefined> {
    const found = await this.organizationTx.run(organizationId, (tx) =>
      this.anchored.newestWitnessed(tx, -1),
    );
    return found?.note;
  }

  /**
   * The key to verify the published checkpoint with: the current one, or for the moment until a new one has signed it,
   * the one before.
   * @throws ColophonError `not_found` when there is no such log
   */
  async vkey(organizationId: string): Promise<string> {
    await this.requireLog(organizationId);
    const published = await this.read(organizationId, CHECKPOINT_PATH);
    const keys = await this.keys.ofLog(organizationId);
    try {
      return published === undefined ? keys.vkey : openOwnCheckpoint(published, keys).signedBy.vkey;
    } catch (error) {
      // The checkpoint was damaged. Whoever asks for the key finds that out with it.
      if (error instanceof TlogError) return keys.vkey;
      throw error;
    }
  }

  /** @throws ColophonError `not_found` when there is no such log */
  async policy(organizationId: string): Promise<string> {
    return formatWitnessPolicy(policyForLog(this.witnessPolicy, await this.vkey(organizationId)));
  }

  private async requireLog(organizationId: string): Promise<void> {
    const rows = await this.organizationTx.run(organizationId, (tx) =>
      tx.query('SELECT 1 FROM audit_log WHERE organization_id = $1', [organizationId]),
    );
    if (rows.length === 0) throw new ColophonError('not_found', 'There is no such log.');
  }

  read(organizationId: string, path: string): Promise<Uint8Array | undefined> {
    return this.stores.ofLog(organizationId).read(path);
  }

  /** A foreign organization's log does not exist for the caller. */
  async requireReader(organizationId: string, authorization: string | undefined): Promise<void> {
    const reader = await this.identifyReader(authorization);
    if (reader.organizationId !== organizationId)
      throw new ColophonError('not_found', 'The log has no such file.');
  }
}
