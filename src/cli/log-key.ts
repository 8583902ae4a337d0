import { type CheckpointTrust } from '../audit/core/checkpoint.js';
import { verifierFromVkey } from '../audit/core/cosignature.js';
import { ED25519, parseVkey } from '../audit/core/note-key.js';
import { parseUtf8 } from '../audit/core/strict-encoding.js';
import { TlogError } from '../audit/core/tlog-error.js';
import { type LogSource } from '../audit/verify/log-report.js';
import { Unusable } from './exit-code.js';

export interface LogKey {
  readonly vkey: string;
  /** A key that comes with the log it verifies proves only that the log agrees with itself. */
  readonly origin: 'given' | 'held' | 'found_in_log';
}

/** The key that lies beside the log, as `vkey`. */
export async function keyInLog(source: LogSource, origin: LogKey['origin']): Promise<LogKey | undefined> {
  const found = await source.read('vkey');
  if (found === undefined) return undefined;
  try {
    return { vkey: parseUtf8(found, 'the file "vkey"').trim(), origin };
  } catch (error) {
    if (error instanceof TlogError) throw new Unusable(error.message);
    throw error;
  }
}

/**
 * The key of a log as the user gives it. One that was copied wrong is a mistake on the command line, not a log or bundle
 * by somebody else.
 * @throws Unusable
 */
export function givenLogKey(text: string): string {
  const vkey = text.trim();
  try {
    if (parseVkey(vkey).type === ED25519) return vkey;
  } catch (error) {
    if (!(error instanceof TlogError)) throw error;
    throw new Unusable(`--vkey is no key of a log: ${error.message}`);
  }
  throw new Unusable('--vkey is the key of a witness, not of a log');
}

/** @throws Unusable */
export function trustOf(vkey: string, origin: string | undefined): CheckpointTrust {
  try {
    const log = verifierFromVkey(vkey);
    return { origin: origin ?? log.name, log };
  } catch (error) {
    if (error instanceof TlogError) throw new Unusable(`the key cannot be used: ${error.message}`);
    throw error;
  }
}
