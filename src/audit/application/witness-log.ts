import type pg from 'pg';
import { type Clock } from '../../shared/clock.js';
import { type AddCheckpointRequest } from '../core/add-checkpoint.js';
import { cosignersAmong } from '../core/policy-quorum.js';
import { consistencyProofFromTiles } from '../core/tile-reading.js';
import { acceptCosignature } from '../core/witness-answer.js';
import { type PolicyWitness, witnessKeyName, type WitnessPolicy } from '../core/witness-policy.js';
import { type AnchorState, AnchorStates, isDue } from './anchor-state.js';
import { type LogKeyRing, type LogKeys } from './log-keys.port.js';
import { openOwnCheckpoint } from './own-checkpoint.js';
import { tileReaderOf } from './published-tiles.js';
import { type RecordedCheckpoint, WitnessRecords } from './witness-records.js';
import { contradiction, evidenceOf } from './witness-evidence.js';
import { type TileStores } from './tile-store.port.js';
import {
  type ConnectWitness,
  type ShownCheckpoint,
  type Witness,
  type WitnessAnswer,
} from './witness.port.js';

export interface WitnessLogParts {
  /** Connections of the sequencer's role. */
  readonly pool: pg.Pool;
  readonly stores: TileStores;
  readonly keys: LogKeys;
  readonly policy: WitnessPolicy;
  readonly connect: ConnectWitness;
  readonly clock: Clock;
  /** Without it: an answer is slow after 1 s, and who was slow and gave none is silent for 30 s. */
  readonly patience?: { readonly slowMs: number; readonly silenceMs: number };
}

/** One log and its newest recorded checkpoint, as all witnesses are shown it in one round. */
interface Round {
  readonly organizationId: string;
  readonly key: LogKeyRing;
  readonly states: ReadonlyMap<string, AnchorState>;
  readonly newest: RecordedCheckpoint;
}

/** What takes longer and gives no answer is a deadline that passed, not a refused connection. */
const PATIENCE = { slowMs: 1_000, silenceMs: 30_000 };

/** What stands in a conflict for which the witness has shown nothing but its word. */
export const UNPROVED = 'it shows no checkpoint with the key of this log that would prove it';

/**
 * Has the newest checkpoint of a log cosigned by the witnesses of the policy. It decides nothing about the business:
 * what a witness does or fails to do ends up in audit_anchor_state and nowhere else, except a conflict, which keeps
 * PublishLog from signing.
 *
 * Several processes may run it at once: a witness gives the same process or another one a cosignature as often as it
 * is asked, and the first that is stored stays. A crash between the answer and the row loses a cosignature that the
 * next round gets again.
 */
export class WitnessLog {
  private readonly records: WitnessRecords;
  private readonly states: AnchorStates;
  /** Until when, by the monotonic clock, a witness counts as silent. */
  private readonly silentUntilMs = new Map<PolicyWitness, number>();

  constructor(private readonly parts: WitnessLogParts) {
    this.records = new WitnessRecords(parts.pool);
    this.states = new AnchorStates(parts.pool, 'witness');
  }

  /**
   * One round: asks in parallel every witness that has not cosigned the newest checkpoint, is not in conflict, and
   * whose pause after failures is over. Resolves when the slowest has answered or run into its deadline; what the
   * others sent is stored by then.
   * @throws Error when the database, the key or our own tiles fail; never for what a witness does
   */
  async witness(organizationId: string): Promise<void> {
    if (this.parts.policy.witnesses.length === 0) return;
    const round = await this.open(organizationId);
    if (round === undefined) return;
    const lines = await this.records.cosignatures(organizationId, round.newest.size);
    const done = new Set(cosignersAmong(this.parts.policy, lines));
    const now = this.parts.clock.now();
    const due = this.parts.policy.witnesses.filter(
      (witness) => !done.has(witness) && isDue(round.states.get(witnessKeyName(witness)), now),
    );
    await allOf(due.map((witness) => this.ask(round, witness)));
  }

  /**
   * Asks every witness that can be reached what it saw of this log last, and records a conflict when this database
   * does not know it: then the database is not the one that signed it. For the time after a start, when database and
   * store may have been restored together. A witness that does not show its last checkpoint is given ours once more,
   * also when it has cosigned it: a larger size in its answer tells the same. One that cannot be reached is skipped,
   * and one that has just let its deadline pass is not asked about the next logs either: with thousands of logs, each
   * would wait for the same silence, and none be signed meanwhile.
   * @throws Error when the database, the key or our own tiles fail
   */
  async checkBeforeSigning(organizationId: string): Promise<void> {
    if (this.parts.policy.witnesses.length === 0) return;
    const key = await this.parts.keys.ofLog(organizationId);
    await allOf(
      this.parts.policy.witnesses.map(async (witness) => {
        const shown = await this.lastShown(witness, key.origin);
        if (shown.kind === 'unavailable') return;
        const evidence = evidenceOf(shown, key);
        if (evidence === undefined) return this.askAgain(organizationId, witness);
        const conflict = await contradiction(this.records, organizationId, evidence);
        if (conflict !== undefined) await this.recordConflict(organizationId, witness, conflict);
      }),
    );
  }

  private async lastShown(witness: PolicyWitness, origin: string): Promise<ShownCheckpoint> {
    const startMs = performance.now();
    if (startMs < (this.silentUntilMs.get(witness) ?? 0)) return { kind: 'unavailable' };
    const shown = await this.parts.connect(witness).lastCheckpoint(origin);
    const endMs = performance.now();
    const { slowMs, silenceMs } = this.parts.patience ?? PATIENCE;
    if (shown.kind === 'unavailable' && endMs - startMs >= slowMs)
      this.silentUntilMs.set(witness, endMs + silenceMs);
    return shown;
  }

  private async askAgain(organizationId: string, witness: PolicyWitness): Promise<void> {
    const round = await this.open(organizationId);
    const isInConflict = round?.states.get(witnessKeyName(witness))?.conflict !== undefined;
    if (round !== undefined && !isInConflict) await this.ask(round, witness);
  }

  private async open(organizationId: string): Promise<Round | undefined> {
    // States first: what a witness confirmed was recorded before, so it is never larger than the newest read after.
    const states = await this.states.ofLog(organizationId);
    const newest = await this.records.newest(organizationId);
    if (newest === undefined) return undefined;
    return { organizationId, states, newest, key: await this.parts.keys.ofLog(organizationId) };
  }

  private async ask(round: Round, witness: PolicyWitness): Promise<void> {
    const confirmed = round.states.get(witnessKeyName(witness))?.size ?? 0;
    const { newest } = round;
    if (confirmed > newest.size) {
      const conflict = `it cosigned ${confirmed} entries, and the newest recorded checkpoint has ${newest.size}`;
      return this.recordConflict(round.organizationId, witness, conflict);
    }
    const connection = this.parts.connect(witness);
    const first = await connection.addCheckpoint(await this.request(round, confirmed));
    if (!isRetryWorth(first, confirmed, newest.size)) {
      return this.settle(round, witness, connection, { answer: first, oldSize: confirmed });
    }
    const second = await connection.addCheckpoint(await this.request(round, first.size));
    const forgot =
      first.size < confirmed ? `it knew ${confirmed} entries before and now only ${first.size}` : undefined;
    return this.settle(round, witness, connection, { answer: second, oldSize: first.size, remark: forgot });
  }

  private async request(
    { organizationId, key, newest }: Round,
    oldSize: number,
  ): Promise<AddCheckpointRequest> {
    const { checkpoint } = openOwnCheckpoint(newest.note, key);
    const tiles = tileReaderOf(this.parts.stores.ofLog(organizationId));
    const { proof } = await consistencyProofFromTiles(tiles, oldSize, checkpoint.size, checkpoint.root);
    return { oldSize, proof, checkpoint: newest.note };
  }

  private async settle(
    round: Round,
    witness: PolicyWitness,
    connection: Witness,
    asked: Asked,
  ): Promise<void> {
    const { answer } = asked;
    switch (answer.kind) {
      case 'cosigned':
        return this.store(round, witness, answer, asked.remark);
      case 'unavailable':
        return this.recordFailure(round, witness, answer.reason);
      case 'refused_history':
        return this.dispute(round, witness, connection, 'it refuses the proof that this log only grew');
      case 'knows_size':
        return this.settleSize(round, witness, connection, { size: answer.size, oldSize: asked.oldSize });
    }
  }

  private async settleSize(
    round: Round,
    witness: PolicyWitness,
    connection: Witness,
    { size, oldSize }: { readonly size: number; readonly oldSize: number },
  ): Promise<void> {
    const { newest } = round;
    if (size > newest.size) {
      // Another process may have signed and submitted a larger one meanwhile; that is recorded before it is shown.
      const latest = await this.records.newest(round.organizationId);
      if (latest !== undefined && latest.size >= size) return;
      const claim = `it has seen ${size} entries, and the newest recorded checkpoint has ${newest.size}`;
      return this.dispute(round, witness, connection, claim);
    }
    if (size === oldSize && size === newest.size) {
      // Witnesses of drafts before v1.0.0 answer so, not with 422, to another root of the same size.
      return this.dispute(round, witness, connection, `it knows another tree of ${size} entries`);
    }
    return this.recordFailure(round, witness, 'it names another size each time it is asked');
  }

  private async store(
    { organizationId, key, newest }: Round,
    witness: PolicyWitness,
    answer: Extract<WitnessAnswer, { kind: 'cosigned' }>,
    remark: string | undefined,
  ): Promise<void> {
    const now = this.parts.clock.now();
    const { text } = openOwnCheckpoint(newest.note, key);
    const expectation = { verifier: witness.verifier, text, signedAt: newest.signedAt, now };
    const accepted = acceptCosignature(answer.signatures, expectation);
    const name = witnessKeyName(witness);
    if ('refused' in accepted) {
      return this.states.recordFailure(organizationId, name, { error: accepted.refused, at: now });
    }
    await this.records.addCosignature(organizationId, newest.size, {
      ...accepted,
      witness: name,
      receivedAt: now,
    });
    await this.states.recordSuccess(organizationId, name, {
      size: newest.size,
      at: now,
      ...(remark !== undefined && { remark }),
    });
  }

  /**
   * A witness knows another history, or says so. It is believed also without evidence: whoever signs on may fork the
   * log for good, whoever waits for a person loses time only.
   */
  private async dispute(
    { organizationId, key }: Round,
    witness: PolicyWitness,
    connection: Witness,
    claim: string,
  ): Promise<void> {
    const evidence = evidenceOf(await connection.lastCheckpoint(key.origin), key);
    const proof = evidence && (await contradiction(this.records, organizationId, evidence));
    const conflict = `${claim}; ${proof ?? UNPROVED}`;
    await this.recordConflict(organizationId, witness, conflict);
  }

  private recordFailure({ organizationId }: Round, witness: PolicyWitness, error: string): Promise<void> {
    return this.states.recordFailure(organizationId, witnessKeyName(witness), {
      error,
      at: this.parts.clock.now(),
    });
  }

  private recordConflict(organizationId: string, witness: PolicyWitness, what: string): Promise<void> {
    const conflict = `the witness ${witness.name} knows another history of this log: ${what}`;
    return this.states.recordConflict(organizationId, witnessKeyName(witness), {
      conflict,
      at: this.parts.clock.now(),
    });
  }
}

interface Asked {
  readonly answer: WitnessAnswer;
  readonly oldSize: number;
  readonly remark?: string | undefined;
}

/** A witness that names a smaller or equal size than ours, other than the one it was asked with, gets one proof more. */
function isRetryWorth(
  answer: WitnessAnswer,
  oldSize: number,
  newestSize: number,
): answer is Extract<WitnessAnswer, { kind: 'knows_size' }> {
  return answer.kind === 'knows_size' && answer.size <= newestSize && answer.size !== oldSize;
}

/** Waits for all, then throws the first failure: one witness's round does not cut short that of another. */
async function allOf(work: readonly Promise<void>[]): Promise<void> {
  const failed = (await Promise.allSettled(work)).find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}
