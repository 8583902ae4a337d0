import type { OpenedCheckpoint } from '../core/checkpoint.js';
import type { ParsedEntry } from '../core/entry.js';
import { bytesEqual } from '../core/strict-encoding.js';
import { parseNote } from '../core/signed-note.js';
import { parseTlogProof } from '../core/tlog-proof.js';
import { TlogError } from '../core/tlog-error.js';
import {
  type TimeStamp,
  type TimeStampTrust,
  type TimeStampVerification,
  verifyTimeStampToken,
} from './time-stamp-token.js';
import type { EntryStatus } from './verify-entry.js';

/** What time-stamps over the tree head of a proof show about the time of an entry, in words for people. */

/** A token that was checked against the bytes that it should be about. */
export interface CheckedTimeStamp {
  /** The text of the checkpoint, its three lines. */
  readonly message: Uint8Array;
  /** Absent where no authority to trust was given. */
  readonly verification?: TimeStampVerification;
}

/** More tokens over one checkpoint than this are not looked at. */
const MAX_TIME_STAMPS = 16;
const UNREVOKED = 'Whether the certificate of that authority was revoked was not looked up.';
/** Clocks differ a little; beyond this the entry's own time contradicts the time-stamp. */
const CLOCK_TOLERANCE_MS = 600_000;

/**
 * Checks time-stamp tokens (DER) over the text of a checkpoint: the first step of two, because WebCrypto is
 * asynchronous and {@link verifyEntry} is not. The result is handed to it as evidence; it looks by itself whether
 * the text is that of the checkpoint in the proof. One result serves all entries proved under that checkpoint.
 * @throws TlogError limit_exceeded for more than 16 tokens
 */
export async function checkTimeStamps(
  tokens: readonly Uint8Array[],
  message: Uint8Array,
  trust?: TimeStampTrust,
): Promise<CheckedTimeStamp[]> {
  if (tokens.length > MAX_TIME_STAMPS) {
    throw new TlogError('limit_exceeded', `there are more than ${MAX_TIME_STAMPS} time-stamps`);
  }
  if (trust === undefined) return tokens.map(() => ({ message }));
  const verify = async (token: Uint8Array): Promise<CheckedTimeStamp> => ({
    message,
    verification: await verifyTimeStampToken({ token, message, trust }),
  });
  return Promise.all(tokens.map(verify));
}

/** What a time-stamp of this proof is about: the text of its checkpoint. @throws TlogError malformed, limit_exceeded */
export function stampedText(proof: Uint8Array): Buffer {
  return Buffer.from(parseNote(parseTlogProof(proof).checkpoint).text, 'utf8');
}

export interface TimeQuestion {
  readonly timeStamps: readonly CheckedTimeStamp[] | undefined;
  /** The checkpoint that the log signed; absent where none could be opened. */
  readonly opened: OpenedCheckpoint | undefined;
  /** Whether the entry is proved to be in that log. */
  readonly included: boolean;
  readonly parsed: ParsedEntry | undefined;
}

/** One status for each time-stamp, and last what the entry's own time is worth. */
export function timeStatuses(question: TimeQuestion): EntryStatus[] {
  const stamped = (question.timeStamps ?? []).map((checked) => stampStatus(checked, question));
  return [...stamped, ownTimeStatus(question.parsed)];
}

function stampStatus({ message, verification }: CheckedTimeStamp, question: TimeQuestion): EntryStatus {
  const text = question.opened?.text;
  if (text !== undefined && !bytesEqual(message, Buffer.from(text, 'utf8'))) {
    return status('failed', 'A time-stamp is about another tree head than that of the proof.');
  }
  if (verification === undefined) {
    return status('not_proved', 'A time-stamp was shown, but no authority was given whose time you trust.');
  }
  if (!verification.valid) return refusal(verification);
  const { stamp } = verification;
  const bound = `at or before ${stamp.genTime.toISOString()}${accuracyText(stamp)} according to ${stamp.authority}`;
  if (text === undefined || !question.included) {
    const unproved = 'but the entry is not shown to be covered by it';
    return status('not_proved', `The tree head existed ${bound}, ${unproved}.`);
  }
  const claimed = question.parsed && Date.parse(question.parsed.entry.at);
  if (claimed !== undefined && claimed > latest(stamp) + CLOCK_TOLERANCE_MS) {
    return status(
      'failed',
      `The entry existed ${bound}, but it names a later time: it was post-dated, or the operator's clock was wrong.`,
    );
  }
  return status('proved', `The entry existed ${bound}. ${UNREVOKED}`);
}

function refusal({ statuses }: TimeStampVerification): EntryStatus {
  const faults = statuses.filter(({ outcome }) => outcome === 'failed');
  const texts = faults.map(({ text }) => text).join(' ');
  // Like a cosignature by a witness whom the verifier does not know: worthless to this reader, and no forgery.
  if (faults.every(({ check }) => check === 'chain')) {
    return status(
      'not_proved',
      `A time-stamp is by nobody whose time you trust, so it proves nothing. ${texts}`,
    );
  }
  return status('failed', `A time-stamp does not hold. ${texts}`);
}

function accuracyText({ accuracyMs }: TimeStamp): string {
  return accuracyMs === undefined ? '' : ` (give or take ${accuracyMs / 1000} s)`;
}

function latest({ genTime, accuracyMs = 0 }: TimeStamp): number {
  return genTime.getTime() + accuracyMs;
}

function ownTimeStatus(parsed: ParsedEntry | undefined): EntryStatus {
  const time = parsed ? `The time ${parsed.entry.at}` : 'The time in an entry';
  const text = `${time} is the operator's clock. Time-stamps and witnesses can show that an entry existed by a time, never when it was made.`;
  return status('not_proved', text);
}

function status(outcome: EntryStatus['outcome'], text: string): EntryStatus {
  return { subject: 'time', outcome, text };
}
