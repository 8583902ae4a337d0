import { type Tx } from '../../database/organization-tx.js';
import { actorOf } from '../../identity/application/actor.js';
import { refuseTestKeyOnLive } from '../../identity/domain/key-mode.js';
import { type Principal } from '../../identity/domain/principal.js';
import { ColophonError } from '../../shared/errors.js';
import { publicId } from '../../shared/ids.js';
import { type AppendEntry } from './append-entry.js';
import { keyIdOf, type LogKeyRecord, type LogKeyRecords, readLogKeyRecords } from './log-key-records.js';
import { type LogKeys } from './log-keys.port.js';

/** Each of them signs every checkpoint, and every reader has to be told of it. */
const MAX_KEYS_IN_USE = 4;

/**
 * - `current`: the newest that signs; handed out as the log's key.
 * - `active`: signs every checkpoint, too.
 * - `missing`: not retired, and the keystore does not have it: it was lost, or is about to be activated.
 * - `retired`: signs no more.
 */
export type LogKeyState = 'current' | 'active' | 'missing' | 'retired';

export interface LogKeyStatus extends LogKeyRecord {
  readonly state: LogKeyState;
}

export interface LogKeyChange {
  readonly keyId: string;
  readonly vkey: string;
  /** UUID of the entry that says so. */
  readonly entryId: string;
}

/**
 * A log keeps its origin for ever, and changes its keys: a new one signs beside the old one until all readers know it,
 * then the old one is retired. Both are entries of the log, signed by the keys that were in use then. What these use
 * cases decide takes effect when SettleLogKeys runs after their commit.
 */
export class RotateLogKey {
  constructor(
    private readonly keys: LogKeys,
    private readonly appendEntry: AppendEntry,
    /** The newest key that signed the published checkpoint. */
    private readonly publishedBy: (organizationId: string) => Promise<string>,
  ) {}

  /** All keys that the log ever had, in order. */
  async list(tx: Tx): Promise<LogKeyStatus[]> {
    return this.statesOf(tx, await readLogKeyRecords(tx));
  }

  /**
   * The private key is durable, and signs nothing, before its entry is committed. Crash or rollback in between: a file
   * of a key that nobody knows, which the next rotation writes over.
   * @throws ColophonError `wrong_mode`, `conflict`
   */
  async add(tx: Tx, principal: Principal): Promise<LogKeyChange> {
    const records = await this.lock(tx, principal);
    if (records.keys.filter(({ retired }) => retired === undefined).length >= MAX_KEYS_IN_USE)
      throw conflict(`A log has at most ${MAX_KEYS_IN_USE} keys in use. Retire one first.`);
    const known = records.keys.map(({ vkey }) => vkey);
    const vkey = await this.keys.prepare(tx.organizationId, records.origin, known);
    return this.record(tx, principal, 'log.key_added', vkey);
  }

  /**
   * For good. Not before the world can do without the key: the published checkpoint is signed by the current one.
   * @throws ColophonError `wrong_mode`, `not_found`, `conflict`
   */
  async retire(tx: Tx, principal: Principal, keyId: string): Promise<LogKeyChange> {
    const records = await this.lock(tx, principal);
    const key = (await this.statesOf(tx, records)).find((one) => one.keyId === keyId);
    if (key === undefined) throw new ColophonError('not_found', 'The log has no key with this id.');
    if (key.state === 'retired') throw conflict('This key is retired already.');
    const { vkey: current } = await this.keys.ofLog(tx.organizationId);
    if (key.vkey === current) throw conflict('This is the current key of the log. Add another one first.');
    if ((await this.publishedBy(tx.organizationId)) !== current)
      throw conflict('No published checkpoint is signed by the current key yet. Try again in a moment.');
    return this.record(tx, principal, 'log.key_retired', key.vkey);
  }

  /** One change of the keys of a log at a time, in all processes, until the transaction ends. */
  private async lock(tx: Tx, principal: Principal): Promise<LogKeyRecords> {
    refuseTestKeyOnLive(principal.mode, 'live', 'The log');
    await tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [
      `log keys ${tx.organizationId}`,
    ]);
    return readLogKeyRecords(tx);
  }

  private async record(
    tx: Tx,
    principal: Principal,
    type: 'log.key_added' | 'log.key_retired',
    vkey: string,
  ): Promise<LogKeyChange> {
    const entryId = await this.appendEntry.append(tx, {
      type,
      actor: actorOf(principal),
      subject: { kind: 'organization', id: publicId('organization', tx.organizationId) },
      data: { vkey },
    });
    return { keyId: keyIdOf(vkey), vkey, entryId };
  }

  private async statesOf(tx: Tx, { keys }: LogKeyRecords): Promise<LogKeyStatus[]> {
    const { active } = await this.keys.held(tx.organizationId);
    const stateOf = ({ vkey, retired }: LogKeyRecord): LogKeyState => {
      if (retired !== undefined) return 'retired';
      if (!active.includes(vkey)) return 'missing';
      return vkey === active.at(-1) ? 'current' : 'active';
    };
    return keys.map((key) => ({ ...key, state: stateOf(key) }));
  }
}

function conflict(detail: string): ColophonError {
  return new ColophonError('conflict', detail);
}
