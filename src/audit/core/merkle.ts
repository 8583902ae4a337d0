import { sha256 } from '../../shared/bytes.js';
import { TlogError } from './tlog-error.js';

/** The Merkle tree of RFC 6962 section 2.1 with SHA-256. Sizes and indexes are safe integers (below 2^53). */

export const HASH_BYTES = 32;

/** A SHA-256 value, 32 bytes. */
export type Hash = Uint8Array;

// The prefixes keep a leaf from being passed off as an inner node (second-preimage resistance, RFC 6962 2.1).
const LEAF_PREFIX = 0x00;
const NODE_PREFIX = 0x01;

/** Leaf hash = SHA-256(0x00 || entry), RFC 6962 section 2.1. O(entry bytes). */
export function leafHash(entry: Uint8Array): Hash {
  const input = Buffer.allocUnsafe(1 + entry.length);
  input[0] = LEAF_PREFIX;
  input.set(entry, 1);
  return sha256(input);
}

const nodeInput = Buffer.alloc(1 + 2 * HASH_BYTES);
nodeInput[0] = NODE_PREFIX;

/** Inner node = SHA-256(0x01 || left || right), RFC 6962 section 2.1. O(1). */
export function nodeHash(left: Hash, right: Hash): Hash {
  nodeInput.set(left, 1);
  nodeInput.set(right, 1 + HASH_BYTES);
  return sha256(nodeInput);
}

/** Root of the tree without entries = SHA-256(""), RFC 6962 section 2.1. */
export function emptyRoot(): Hash {
  return sha256('');
}

/** @throws TlogError out_of_range unless `value` is an integer of 0 to 2^53 - 1 */
export function requireSize(value: number, what: string): void {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new TlogError('out_of_range', `${what} is not an integer of 0 to 2^53 - 1`);
  }
}

/** @throws TlogError malformed unless the value has 32 bytes */
export function requireHash(value: Uint8Array, what: string): void {
  if (value.length !== HASH_BYTES)
    throw new TlogError('malformed', `${what} is not ${HASH_BYTES} bytes long`);
}

/** Largest power of two smaller than `size` (size > 1): where RFC 6962 splits a tree. O(log size). */
export function splitPoint(size: number): number {
  let split = 1;
  // Doubling a power of two below 2^53 is exact; bit operators would cut the number to 32 bits.
  while (split * 2 < size) split *= 2;
  return split;
}

/** The largest complete subtrees of the range [start, end), left to right. */
export interface Subtree {
  /** Number of levels above the leaves: it covers 2^level of them. */
  readonly level: number;
  /** Position among the subtrees of its level: it covers leaves [index * 2^level, (index + 1) * 2^level). */
  readonly index: number;
}

/**
 * Splits a range into complete subtrees, largest first. O(log(end - start)).
 * `start` must be a multiple of the largest power of two that is at most end - start, which holds for every
 * range that RFC 6962 proofs name.
 */
export function completeSubtrees(start: number, end: number): Subtree[] {
  const subtrees: Subtree[] = [];
  for (let low = start; low < end;) {
    let width = 1;
    let level = 0;
    while (width * 2 <= end - low) {
      width *= 2;
      level += 1;
    }
    subtrees.push({ level, index: low / width });
    low += width;
  }
  return subtrees;
}

/** Joins complete subtrees, largest first, into the root above them: h1 || (h2 || (h3 ...)). O(n). */
export function foldSubtrees(hashes: readonly Hash[]): Hash {
  let root: Hash | undefined;
  for (let i = hashes.length - 1; i >= 0; i--) {
    const left = hashes[i] as Hash;
    root = root === undefined ? left : nodeHash(left, root);
  }
  return root ?? emptyRoot();
}

/** Merkle Tree Hash of a list of leaf (or subtree) hashes, RFC 6962 section 2.1. O(n) hashes, O(n) memory. */
export function treeRoot(hashes: readonly Hash[]): Hash {
  if (hashes.length === 0) return emptyRoot();
  let level = hashes.slice();
  // Pairing neighbors and carrying an odd last node up gives the same tree as the recursive split.
  while (level.length > 1) {
    const above: Hash[] = [];
    for (let i = 0; i + 1 < level.length; i += 2)
      above.push(nodeHash(level[i] as Hash, level[i + 1] as Hash));
    if (level.length % 2 === 1) above.push(level[level.length - 1] as Hash);
    level = above;
  }
  return level[0] as Hash;
}
