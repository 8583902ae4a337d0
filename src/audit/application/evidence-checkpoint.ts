import { type OrganizationTx, type Tx } from '../../database/organization-tx.js';
import { askUntil } from '../../shared/ask-until.js';
import { sha256Hex } from '../../shared/bytes.js';
import { ColophonError } from '../../shared/errors.js';
import { type OpenedCheckpoint } from '../core/checkpoint.js';
import { cosignedNote } from '../core/cosigned-note.js';
import {
  formatWitnessPolicy,
  keyNameOf,
  NO_QUORUM,
  policyForLog,
  type WitnessPolicy,
  witnessKeyName,
} from '../core/witness-policy.js';
import { parseSignatureLine } from '../core/signed-note.js';
import { TlogError } from '../core/tlog-error.js';
import { type TimeStampTrust, verifyTimeStampToken } from '../verify/time-stamp-token.js';
import { isPolicyMet } from '../verify/witness-status.js';
import { type AnchoredCheckpoints, type TimeStamp } from './anchored-checkpoints.js';
import { type LogKeys } from './log-keys.port.js';
import { openOwnCheckpoint, withoutCosignatures } from './own-checkpoint.js';
import { type PublishedCheckpoint, type ReadLog } from './read-log.js';

/** A checkpoint with all that others have said about it, checked again. */
export interface EvidenceCheckpoint extends PublishedCheckpoint {
  /** C2SP tlog-policy of the operator, with the key of the log. */
  readonly policy: string;
  /** All witnesses of the policy; `cosignedAt` is the witness's clock. */
  readonly witnesses: readonly {
    readonly name: string;
    readonly key: string;
    readonly cosignedAt: Date | undefined;
  }[];
  /** `undefined` when the operator has named no witness. */
  readonly isPolicyMet: boolean | undefined;
  /**
   * Tokens on this checkpoint: those that verify under the configured roots. Where none are configured any more, all
   * that are stored, because others may know whom to trust.
   */
  readonly timeStamps: readonly TimeStamp[];
  /** Those that were verified, by time. `authority` is the name in the certificate. */
  readonly verifiedTimeStamps: readonly VerifiedTimeStamp[];
  /** Whether this installation asks an authority for time-stamps. */
  readonly timeStampsExpected: boolean;
}

export interface VerifiedTimeStamp {
  readonly authority: string;
  readonly at: Date;
  readonly tokenSha256: string;
}

export interface EvidenceCheckpointParts {
  readonly organizationTx: OrganizationTx;
  readonly log: ReadLog;
  readonly anchored: AnchoredCheckpoints;
  readonly keys: LogKeys;
  readonly policy: WitnessPolicy;
  /** Where the authority that this installation asks leads to; `undefined`: none is asked. */
  readonly timeStampTrust: TimeStampTrust | undefined;
  /** So long evidence waits for witnesses and time-stamp, in milliseconds. */
  readonly waitMs: number;
}

const WAIT_STEP_MS = 200;

/**
 * Chooses the checkpoint under which entries are shown to strangers: the newest that covers them all, meets the
 * witness policy and has a time-stamp; else that meets the policy; else that has a time-stamp; else the newest.
 */
export class FindEvidenceCheckpoint {
  constructor(private readonly parts: EvidenceCheckpointParts) {}

  /**
   * Waits a little for what is configured and has not come, then takes what there is.
   *
   * @param index the last of the entries; a published checkpoint covers it
   * @throws ColophonError `log_damaged` when a stored signature or token does not verify (any more)
   */
  async find(organizationId: string, index: number): Promise<EvidenceCheckpoint> {
    const { size } = await askUntil(
      () => this.choose(organizationId, index),
      ({ isComplete }) => isComplete,
      { timeoutMs: this.parts.waitMs, stepMs: WAIT_STEP_MS },
    );
    return this.read(organizationId, size);
  }

  private get hasPolicy(): boolean {
    return this.parts.policy.quorum !== NO_QUORUM;
  }

  /** `size` is `undefined` for the newest published checkpoint. */
  private choose(
    organizationId: string,
    index: number,
  ): Promise<{ size: number | undefined; isComplete: boolean }> {
    const { anchored, organizationTx, timeStampTrust } = this.parts;
    return organizationTx.run(organizationId, async (tx) => {
      const both = await anchored.newestWitnessedAndStamped(tx, index);
      if (both !== undefined) return { size: both, isComplete: true };
      const witnessed = this.hasPolicy ? await anchored.newestWitnessed(tx, index) : undefined;
      const size = witnessed?.size ?? (await anchored.newestStamped(tx, index));
      const isWitnessed = !this.hasPolicy || witnessed !== undefined;
      return { size, isComplete: isWitnessed && timeStampTrust === undefined };
    });
  }

  private async read(organizationId: string, chosen: number | undefined): Promise<EvidenceCheckpoint> {
    const { log, organizationTx, anchored, policy, keys } = this.parts;
    const published = await log.published(organizationId);
    const size = chosen ?? published.checkpoint.size;
    const ring = await keys.ofLog(organizationId);
    const { recorded, timeStamps } = await organizationTx.run(organizationId, async (tx: Tx) => ({
      recorded: await anchored.recorded(tx, size),
      timeStamps: await anchored.timeStampsOf(tx, size),
    }));
    // A key that was added since has signed the published one only.
    const isPublished = size === published.checkpoint.size;
    const own = isPublished ? withoutCosignatures(published.note, ring) : recorded?.note;
    const note = recorded && own ? this.withPolicyCosignatures({ ...recorded, note: own }) : published.note;
    const opened = openStored(() => openOwnCheckpoint(note, ring, policy));
    // Who knows the keys of today only could not verify it. The newest one can be.
    if (!opened.isByActiveKey && !isPublished) return this.read(organizationId, published.checkpoint.size);
    const { vkey } = opened.signedBy;
    const witnesses = witnessesOf(policy, opened);
    return {
      checkpoint: opened.checkpoint,
      note,
      vkey,
      policy: formatWitnessPolicy(policyForLog(policy, vkey)),
      witnesses,
      isPolicyMet: policy.witnesses.length === 0 ? undefined : isPolicyMet(opened, policy),
      ...(await this.verified(timeStamps, opened.text)),
      timeStampsExpected: this.parts.timeStampTrust !== undefined,
    };
  }

  /** Without cosignatures of witnesses that the policy does not name: nobody could check them. */
  private withPolicyCosignatures({
    note,
    cosignatures,
  }: {
    note: Buffer;
    cosignatures: readonly string[];
  }): Buffer {
    const named = new Set(this.parts.policy.witnesses.map(witnessKeyName));
    return openStored(() =>
      cosignedNote(
        note,
        cosignatures.filter((line) => named.has(keyNameOf(parseSignatureLine(line)))),
      ),
    );
  }

  private async verified(
    timeStamps: readonly TimeStamp[],
    text: string,
  ): Promise<Pick<EvidenceCheckpoint, 'timeStamps' | 'verifiedTimeStamps'>> {
    const trust = this.parts.timeStampTrust;
    if (trust === undefined) return { timeStamps, verifiedTimeStamps: [] };
    const message = Buffer.from(text, 'utf8');
    const found: VerifiedTimeStamp[] = [];
    const held: TimeStamp[] = [];
    for (const timeStamp of timeStamps) {
      const { token, authority } = timeStamp;
      const result = await verifyTimeStampToken({ token, message, trust });
      if (result.valid) {
        const { authority: name, genTime: at } = result.stamp;
        found.push({ authority: name, at, tokenSha256: sha256Hex(token) });
        held.push(timeStamp);
      } else if (result.statuses.some(({ check, outcome }) => outcome === 'failed' && check !== 'chain')) {
        throw damaged(`the stored time-stamp by ${authority} does not verify`);
      }
    }
    found.sort((a, b) => a.at.getTime() - b.at.getTime());
    return { timeStamps: held, verifiedTimeStamps: found };
  }
}

function witnessesOf(
  policy: WitnessPolicy,
  { cosignatures }: OpenedCheckpoint,
): EvidenceCheckpoint['witnesses'] {
  const times = new Map(cosignatures.map((one) => [keyNameOf(one), one.timestampSeconds]));
  return policy.witnesses.map((witness) => {
    const key = witnessKeyName(witness);
    const seconds = times.get(key);
    return {
      name: witness.name,
      key,
      cosignedAt: seconds === undefined ? undefined : new Date(seconds * 1000),
    };
  });
}

function openStored<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof TlogError) throw damaged(`a stored checkpoint does not hold: ${error.message}`);
    throw error;
  }
}

function damaged(what: string): ColophonError {
  return new ColophonError('log_damaged', `The log's own record was changed: ${what}.`);
}
