import { type OrganizationTx, type Tx } from '../../database/organization-tx.js';
import { actorOf } from '../../identity/application/actor.js';
import { refuseTestKeyOnLive } from '../../identity/domain/key-mode.js';
import { type Principal } from '../../identity/domain/principal.js';
import { ColophonError } from '../../shared/errors.js';
import { publicId } from '../../shared/ids.js';
import { type AnchorState, type AnchorStates } from './anchor-state.js';
import { type AppendEntry } from './append-entry.js';
import { UNPROVED } from './witness-log.js';

export interface WitnessStanding extends AnchorState {
  /** `<name>+<key id>`, as in the witness policy's vkeys. */
  readonly witness: string;
}

/**
 * A witness that knows another history stops the log from being signed. When a person has found out that the witness
 * is wrong, they say so here: it is an entry of the log, with the words that were set aside, and the witness is asked
 * again. If its answer is the same, the log stops again.
 */
export class ClearWitnessConflict {
  constructor(
    private readonly organizationTx: OrganizationTx,
    /** Of the sequencer: this bookkeeping is not the application's to change. */
    private readonly states: AnchorStates,
    private readonly appendEntry: AppendEntry,
    private readonly wakeSequencer: () => void,
  ) {}

  /** How it stands with every witness that was ever asked about this log. */
  async list(organizationId: string): Promise<WitnessStanding[]> {
    const states = await this.states.ofLog(organizationId);
    return [...states].map(([witness, state]) => ({ witness, ...state }));
  }

  /**
   * The entry is committed first: that a conflict was set aside is never missing from the log. Crash before the second
   * change: the conflict stands, and the same request again clears it, with one more entry.
   * @throws ColophonError `wrong_mode`, `not_found`, `conflict`
   */
  async clear(principal: Principal, witness: string): Promise<{ entryId: string; conflict: string }> {
    const { organizationId } = principal;
    refuseTestKeyOnLive(principal.mode, 'live', 'The log');
    const conflict = (await this.states.ofLog(organizationId)).get(witness)?.conflict;
    if (conflict === undefined)
      throw new ColophonError('not_found', 'No witness of this name is in conflict with the log.');
    if (!conflict.includes(UNPROVED))
      throw new ColophonError(
        'conflict',
        'The witness has proof: a checkpoint of another history, signed with the key of this log. Nobody can set that aside; restore the database that belongs to the published log.',
      );
    const entryId = await this.organizationTx.run(organizationId, (tx) =>
      this.record(tx, principal, witness, conflict),
    );
    if (!(await this.states.clearConflict(organizationId, witness, conflict)))
      throw new ColophonError('conflict', 'The witness has said something else meanwhile. Read it first.');
    this.wakeSequencer();
    return { entryId, conflict };
  }

  private record(tx: Tx, principal: Principal, witness: string, conflict: string): Promise<string> {
    return this.appendEntry.append(tx, {
      type: 'log.conflict_cleared',
      actor: actorOf(principal),
      subject: { kind: 'organization', id: publicId('organization', tx.organizationId) },
      data: { witness, conflict: conflict.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 1000) },
    });
  }
}
