import type { CheckpointTrust, OpenedCheckpoint } from '../core/checkpoint.js';
import { opensCommitment, type Opening } from '../core/commitment.js';
import { type EntryEnvelope, type ParsedEntry, parseEntry } from '../core/entry.js';
import { leafHash } from '../core/merkle.js';
import { openCheckpoint } from '../core/checkpoint.js';
import { verifyInclusion } from '../core/merkle-proof.js';
import { parseTlogProof, type TlogProof } from '../core/tlog-proof.js';
import { TlogError } from '../core/tlog-error.js';
import { type CheckedTimeStamp, timeStatuses } from './time-status.js';
import { isPolicyMet, witnessStatus } from './witness-status.js';

/**
 * One line of a verification. `proved`: follows from the bytes and the trusted keys. `failed`: is wrong.
 * `not_proved`: nobody showed it, or a log cannot show it.
 */
export interface EntryStatus {
  readonly subject: EntryStatusSubject;
  readonly outcome: 'proved' | 'failed' | 'not_proved';
  /** One sentence for people. */
  readonly text: string;
  /** For subject `opening`: the field. */
  readonly field?: string;
}

export type EntryStatusSubject =
  'entry' | 'proof' | 'checkpoint' | 'inclusion' | 'opening' | 'witnesses' | 'time' | 'truth';

export interface EntryEvidence {
  readonly entry: Uint8Array;
  /** A tlog-proof file. */
  readonly proof: Uint8Array;
  /** Disclosed values by the name of the sealed field. */
  readonly openings?: Readonly<Record<string, Opening>>;
  /** Time-stamps over the checkpoint in the proof, from `checkTimeStamps`, which knows whose time is trusted. */
  readonly timeStamps?: readonly CheckedTimeStamp[];
}

export interface EntryVerification {
  /** True when nothing failed and the entry is proved to be in the log. */
  readonly ok: boolean;
  readonly statuses: readonly EntryStatus[];
  /** The entry, where it could be read; trust it only when `ok`. */
  readonly entry?: EntryEnvelope;
  readonly index?: number;
  readonly treeSize?: number;
  /** Whether the witnesses of the given policy are enough; absent when none was given or no checkpoint was opened. */
  readonly policyMet?: boolean;
}

/**
 * Checks one entry with its proof and openings, offline, and says of each question whether it is proved. It never
 * throws for bad evidence and does not stop at the first fault.
 */
export function verifyEntry(evidence: EntryEvidence, trust: CheckpointTrust): EntryVerification {
  const statuses: EntryStatus[] = [];
  const parsed = readEntry(evidence.entry, statuses);
  const proof = readProof(evidence.proof, statuses);
  const opened = readCheckpoint(proof, trust, statuses);
  checkInclusion(evidence.entry, proof, opened, statuses);
  checkOpenings(parsed?.entry.sealed ?? {}, evidence.openings ?? {}, statuses);
  statuses.push(opened ? witnessStatus(opened, trust) : UNWITNESSED);
  const included = statuses.some(({ subject, outcome }) => subject === 'inclusion' && outcome === 'proved');
  const { timeStamps } = evidence;
  statuses.push(...timeStatuses({ timeStamps, included, parsed, opened }), TRUTH);
  return {
    ok: included && statuses.every(({ outcome }) => outcome !== 'failed'),
    statuses,
    ...(parsed && { entry: parsed.entry }),
    ...(proof && { index: proof.index }),
    ...(opened && { treeSize: opened.checkpoint.size }),
    ...(opened && trust.policy && { policyMet: isPolicyMet(opened, trust.policy) }),
  };
}

function readEntry(bytes: Uint8Array, statuses: EntryStatus[]): ParsedEntry | undefined {
  return attempt('entry', 'The entry is not a valid entry', statuses, () => {
    const parsed = parseEntry(bytes);
    const notes = {
      known: '',
      unknown_type: ' This verifier does not know the type, so it cannot say what the data means.',
      data_mismatch: ' Its fields are not those that this verifier knows for this type.',
    };
    const text = `The entry is in canonical form and of type ${parsed.entry.type}.${notes[parsed.schema]}`;
    statuses.push({ subject: 'entry', outcome: parsed.schema === 'known' ? 'proved' : 'not_proved', text });
    return parsed;
  });
}

function readProof(bytes: Uint8Array, statuses: EntryStatus[]): TlogProof | undefined {
  return attempt('proof', 'The proof cannot be read', statuses, () => parseTlogProof(bytes));
}

function readCheckpoint(
  proof: TlogProof | undefined,
  trust: CheckpointTrust,
  statuses: EntryStatus[],
): OpenedCheckpoint | undefined {
  if (proof === undefined) {
    statuses.push({ subject: 'checkpoint', outcome: 'not_proved', text: UNREAD_HEAD });
    return undefined;
  }
  return attempt('checkpoint', 'The signed tree head cannot be trusted', statuses, () => {
    const opened = openCheckpoint(proof.checkpoint, trust);
    statuses.push({ subject: 'checkpoint', outcome: 'proved', text: signedText(opened, trust) });
    return opened;
  });
}

/** What a signature by the key of a log shows, and what it does not. */
export function signedText({ checkpoint }: OpenedCheckpoint, { log }: CheckpointTrust): string {
  return `The holder of the key ${log.name} signed a log of ${checkpoint.size} entries. Whose key that is, you must know from elsewhere.`;
}

const UNREAD_HEAD = 'There is no tree head that could be read, so no signature was checked.';

const UNTRUSTED_HEAD =
  'Whether the entry is in the log cannot be checked without a signed tree head that can be trusted.';

const UNWITNESSED: EntryStatus = {
  subject: 'witnesses',
  outcome: 'not_proved',
  text: 'Without a tree head that can be trusted no witness vouches for anything here.',
};

function checkInclusion(
  entry: Uint8Array,
  proof: TlogProof | undefined,
  opened: OpenedCheckpoint | undefined,
  statuses: EntryStatus[],
): void {
  if (proof === undefined || opened === undefined) {
    statuses.push({ subject: 'inclusion', outcome: 'not_proved', text: UNTRUSTED_HEAD });
    return;
  }
  attempt('inclusion', 'The entry is not shown to be in the log', statuses, () => {
    const { size, root } = opened.checkpoint;
    verifyInclusion({ index: proof.index, size, leafHash: leafHash(entry), root }, proof.hashes);
    const text = `Exactly these bytes are number ${proof.index} (counted from 0) of the ${size} entries under that signature: they were not changed after it was made.`;
    statuses.push({ subject: 'inclusion', outcome: 'proved', text });
  });
}

function checkOpenings(
  sealed: Readonly<Record<string, string>>,
  openings: Readonly<Record<string, Opening>>,
  statuses: EntryStatus[],
): void {
  const shown = new Map(Object.entries(openings));
  for (const [field, commitment] of Object.entries(sealed)) {
    const opening = shown.get(field);
    shown.delete(field);
    statuses.push(openingStatus(field, commitment, opening));
  }
  for (const field of shown.keys()) {
    const text = `A value was disclosed for "${field}", but the entry seals no such field.`;
    statuses.push({ subject: 'opening', outcome: 'failed', field, text });
  }
}

function openingStatus(field: string, commitment: string, opening: Opening | undefined): EntryStatus {
  if (opening === undefined) {
    const text = `The value of "${field}" is sealed and was not disclosed, or has been erased.`;
    return { subject: 'opening', outcome: 'not_proved', field, text };
  }
  if (!isOpenedBy(opening, commitment)) {
    const text = `The disclosed value of "${field}" is not the one that the entry seals.`;
    return { subject: 'opening', outcome: 'failed', field, text };
  }
  const text = `The disclosed value of "${field}" is the one that the entry seals.`;
  return { subject: 'opening', outcome: 'proved', field, text };
}

function isOpenedBy(opening: Opening, commitment: string): boolean {
  try {
    return opensCommitment(opening, commitment);
  } catch (error) {
    if (error instanceof TlogError) return false;
    throw error;
  }
}

export const TRUTH: EntryStatus = {
  subject: 'truth',
  outcome: 'not_proved',
  text: 'A log proves what was recorded and that it has not changed since, not that what was recorded is true or that nothing was left out.',
};

/** Runs a step; a refusal becomes a status. */
function attempt<T>(
  subject: EntryStatusSubject,
  failure: string,
  statuses: EntryStatus[],
  work: () => T,
): T | undefined {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof TlogError)) throw error;
    statuses.push({ subject, outcome: 'failed', text: `${failure}: ${error.message}.` });
    return undefined;
  }
}
