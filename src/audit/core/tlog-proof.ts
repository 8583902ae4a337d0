import { type CheckpointTrust, openCheckpoint, type OpenedCheckpoint } from './checkpoint.js';
import { HASH_BYTES, type Hash, requireHash, requireSize } from './merkle.js';
import { verifyInclusion } from './merkle-proof.js';
import { MAX_NOTE_BYTES } from './signed-note.js';
import { encodeUtf8, formatBase64, parseBase64, parseDecimal, parseUtf8 } from './strict-encoding.js';
import { TlogError } from './tlog-error.js';

/** Proof files of C2SP tlog-proof: one entry's place in a log, verifiable without the log. */

const HEADER = 'c2sp.org/tlog-proof@v1';

/** A tree below 2^64 has no longer inclusion proof. */
const MAX_PROOF_HASHES = 63;

const MAX_EXTRA_BYTES = 65_535;

/** Header lines and hashes beside the checkpoint: the extra data in base64, 63 hash lines, and air. */
export const MAX_TLOG_PROOF_BYTES = MAX_NOTE_BYTES + 2 * MAX_EXTRA_BYTES;

export interface TlogProof {
  /** Index of the entry in the log, from 0. */
  readonly index: number;
  /** From the leaf's sibling up to the root's child. */
  readonly hashes: readonly Hash[];
  /** The signed checkpoint, verbatim, with all cosignatures. */
  readonly checkpoint: Uint8Array;
  /** Opaque bytes that nothing authenticates. This program writes none. */
  readonly extra?: Uint8Array;
}

/** @throws TlogError malformed, out_of_range, limit_exceeded */
export function formatTlogProof(proof: TlogProof): Buffer {
  requireSize(proof.index, 'index');
  for (const hash of proof.hashes) requireHash(hash, 'proof hash');
  if (proof.hashes.length > MAX_PROOF_HASHES || (proof.extra?.length ?? 0) > MAX_EXTRA_BYTES) {
    throw new TlogError('limit_exceeded', 'the proof has too many hashes or too much extra data');
  }
  const lines = [
    HEADER,
    ...(proof.extra === undefined ? [] : [`extra ${formatBase64(proof.extra)}`]),
    `index ${proof.index}`,
    ...proof.hashes.map(formatBase64),
    '',
    '',
  ];
  return Buffer.concat([encodeUtf8(lines.join('\n'), 'the proof'), proof.checkpoint]);
}

/** Reads a proof file; canonical encodings only. It verifies nothing. @throws TlogError malformed, limit_exceeded */
export function parseTlogProof(bytes: Uint8Array): TlogProof {
  if (bytes.length > MAX_TLOG_PROOF_BYTES) {
    throw new TlogError('limit_exceeded', `the proof is larger than ${MAX_TLOG_PROOF_BYTES} bytes`);
  }
  const text = parseUtf8(bytes, 'the proof');
  const split = text.indexOf('\n\n');
  if (split < 0) throw new TlogError('malformed', 'the proof has no blank line before its checkpoint');
  const lines = text.slice(0, split).split('\n');
  if (lines.shift() !== HEADER) throw new TlogError('malformed', `the first line is not ${HEADER}`);
  const extra = lines[0]?.startsWith('extra ') ? parseExtra(lines.shift() ?? '') : undefined;
  const indexLine = lines.shift() ?? '';
  if (!indexLine.startsWith('index ')) throw new TlogError('malformed', 'the proof has no index line');
  if (lines.length > MAX_PROOF_HASHES) {
    throw new TlogError('limit_exceeded', `the proof has more than ${MAX_PROOF_HASHES} hashes`);
  }
  const proof: TlogProof = {
    index: parseDecimal(indexLine.slice('index '.length), 'the index'),
    hashes: lines.map(parseHashLine),
    checkpoint: encodeUtf8(text.slice(split + 2), 'the checkpoint'),
  };
  return extra === undefined ? proof : { ...proof, extra };
}

function parseExtra(line: string): Uint8Array {
  const extra = parseBase64(line.slice('extra '.length), 'the extra data');
  if (extra.length > MAX_EXTRA_BYTES) throw new TlogError('limit_exceeded', 'too much extra data');
  return extra;
}

function parseHashLine(line: string): Hash {
  const hash = parseBase64(line, 'a proof hash');
  if (hash.length !== HASH_BYTES) throw new TlogError('malformed', 'a proof hash is not 32 bytes long');
  return hash;
}

/**
 * Checks that the entry with this leaf hash is in the log: checkpoint signatures, origin, and inclusion.
 * @throws TlogError with the reason
 */
export function verifyTlogProof(proof: TlogProof, leafHash: Hash, trust: CheckpointTrust): OpenedCheckpoint {
  const opened = openCheckpoint(proof.checkpoint, trust);
  const { size, root } = opened.checkpoint;
  verifyInclusion({ index: proof.index, size, leafHash, root }, proof.hashes);
  return opened;
}
