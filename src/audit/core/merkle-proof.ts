import {
  completeSubtrees,
  emptyRoot,
  foldSubtrees,
  type Hash,
  nodeHash,
  requireHash,
  requireSize,
  splitPoint,
} from './merkle.js';
import { bytesEqual } from './strict-encoding.js';
import { TlogError } from './tlog-error.js';

/** Where proofs get the hashes of complete subtrees from: tiles, a table, a test. */
export interface HashReader {
  /** Hash of the complete subtree over leaves [index * 2^level, (index + 1) * 2^level). */
  readHash(level: number, index: number): Promise<Hash>;
}

/** Root of the leaves [start, end); see {@link completeSubtrees} for the alignment of `start`. O(log n) reads. */
export async function rangeRoot(reader: HashReader, start: number, end: number): Promise<Hash> {
  const subtrees = completeSubtrees(start, end);
  return foldSubtrees(await Promise.all(subtrees.map(({ level, index }) => reader.readHash(level, index))));
}

/** Root of the first `size` leaves, RFC 6962 section 2.1. O(log size) reads. */
export async function rootFromHashes(reader: HashReader, size: number): Promise<Hash> {
  requireSize(size, 'tree size');
  return rangeRoot(reader, 0, size);
}

/**
 * Inclusion proof PATH(index, D[size]) of RFC 6962 section 2.1.1, from the leaf's sibling up to the root's child.
 * O(log^2 size) reads.
 */
export async function inclusionProof(reader: HashReader, index: number, size: number): Promise<Hash[]> {
  requireIndex(index, size);
  const siblings: Promise<Hash>[] = [];
  let [start, end] = [0, size];
  while (end - start > 1) {
    const middle = start + splitPoint(end - start);
    if (index < middle) {
      siblings.push(rangeRoot(reader, middle, end));
      end = middle;
    } else {
      siblings.push(rangeRoot(reader, start, middle));
      start = middle;
    }
  }
  return (await Promise.all(siblings)).reverse();
}

/**
 * Consistency proof PROOF(oldSize, D[newSize]) of RFC 6962 section 2.1.2. Empty when oldSize is 0 or newSize.
 * O(log^2 newSize) reads.
 */
export async function consistencyProof(
  reader: HashReader,
  oldSize: number,
  newSize: number,
): Promise<Hash[]> {
  requireGrowth(oldSize, newSize);
  if (oldSize === 0 || oldSize === newSize) return [];
  const hashes: Promise<Hash>[] = [];
  let [start, end] = [0, newSize];
  // SUBPROOF descends to the subtree that ends exactly at oldSize.
  while (end !== oldSize) {
    const middle = start + splitPoint(end - start);
    if (oldSize <= middle) {
      hashes.push(rangeRoot(reader, middle, end));
      end = middle;
    } else {
      hashes.push(rangeRoot(reader, start, middle));
      start = middle;
    }
  }
  // When that subtree is the whole old tree (start 0), the verifier knows its root already.
  if (start > 0) hashes.push(rangeRoot(reader, start, end));
  return (await Promise.all(hashes)).reverse();
}

export interface InclusionClaim {
  readonly index: number;
  readonly size: number;
  readonly leafHash: Hash;
  readonly root: Hash;
}

/**
 * Checks that the leaf is number `index` in the tree with this size and root (RFC 9162 section 2.1.3.2; the same
 * tree as RFC 6962). Exactly one proof length is accepted. O(log size).
 * @throws TlogError out_of_range, malformed, proof_length, proof_mismatch
 */
export function verifyInclusion(claim: InclusionClaim, proof: readonly Hash[]): void {
  requireIndex(claim.index, claim.size);
  const { inner, border } = pathShape(claim.index, claim.size);
  requireLength(proof, inner + border);
  requireHashes([claim.leafHash, claim.root, ...proof]);
  let hash = claim.leafHash;
  let node = claim.index;
  proof.forEach((sibling, i) => {
    hash = i < inner && node % 2 === 0 ? nodeHash(hash, sibling) : nodeHash(sibling, hash);
    node = half(node);
  });
  if (!bytesEqual(hash, claim.root)) {
    throw new TlogError('proof_mismatch', 'the inclusion proof leads to another root');
  }
}

/**
 * The path from leaf `index` to the root: first `inner` siblings, left or right by the bits of the index, up to the
 * node where the path joins the one of the last leaf; from there `border` siblings, all of them left, because a
 * right edge node without sibling is its own parent (RFC 6962 section 2.1). O(log size).
 */
function pathShape(index: number, size: number): { inner: number; border: number } {
  let [node, last, inner, border] = [index, size - 1, 0, 0];
  for (; node !== last; inner++) [node, last] = [half(node), half(last)];
  for (; node > 0; node = half(node)) border += node % 2;
  return { inner, border };
}

export interface ConsistencyClaim {
  readonly oldSize: number;
  readonly oldRoot: Hash;
  readonly newSize: number;
  readonly newRoot: Hash;
}

/**
 * Checks that the new tree has the old one as its beginning (RFC 9162 section 2.1.4.2; the same tree as RFC 6962).
 * From size 0 and between equal sizes the only proof is the empty one. O(log newSize).
 * @throws TlogError out_of_range, malformed, proof_length, proof_mismatch
 */
export function verifyConsistency(claim: ConsistencyClaim, proof: readonly Hash[]): void {
  const { oldSize, oldRoot, newSize, newRoot } = claim;
  requireGrowth(oldSize, newSize);
  requireHashes([oldRoot, newRoot]);
  requireEmptyRoot(oldSize, oldRoot);
  requireEmptyRoot(newSize, newRoot);
  if (oldSize === 0 || oldSize === newSize) {
    requireLength(proof, 0);
    if (oldSize === newSize && !bytesEqual(oldRoot, newRoot)) {
      throw new TlogError('proof_mismatch', 'two roots for one tree size');
    }
    return;
  }
  const roots = rootsOfConsistency(claim, proof);
  if (!bytesEqual(roots.oldRoot, oldRoot)) {
    throw new TlogError('proof_mismatch', 'the consistency proof leads to another old root');
  }
  if (!bytesEqual(roots.newRoot, newRoot)) {
    throw new TlogError('proof_mismatch', 'the consistency proof leads to another new root');
  }
}

/** Climbs from the largest complete subtree that ends at oldSize; what joins it from the left is in both trees. */
function rootsOfConsistency(
  { oldSize, oldRoot, newSize }: ConsistencyClaim,
  proof: readonly Hash[],
): { oldRoot: Hash; newRoot: Hash } {
  const shape = pathShape(oldSize - 1, newSize);
  let [node, inner] = [oldSize - 1, shape.inner];
  // Each trailing one-bit of the last old index lies inside that subtree.
  for (; node % 2 === 1; inner--) node = half(node);
  // It is the whole old tree when oldSize is a power of two: the proof then leaves out the known old root.
  const isWholeTree = node === 0;
  requireLength(proof, inner + shape.border + (isWholeTree ? 0 : 1));
  requireHashes(proof);
  const [seed, ...path] = isWholeTree ? [oldRoot, ...proof] : proof;
  let [oldHash, newHash] = [seed as Hash, seed as Hash];
  path.forEach((sibling, i) => {
    if (i < inner && node % 2 === 0) {
      newHash = nodeHash(newHash, sibling);
    } else {
      oldHash = nodeHash(sibling, oldHash);
      newHash = nodeHash(sibling, newHash);
    }
    node = half(node);
  });
  return { oldRoot: oldHash, newRoot: newHash };
}

function half(value: number): number {
  return Math.floor(value / 2);
}

function requireLength(proof: readonly Hash[], expected: number): void {
  if (proof.length !== expected) {
    throw new TlogError(
      'proof_length',
      `the proof has ${proof.length} hashes, its sizes require ${expected}`,
    );
  }
}

function requireHashes(hashes: readonly Hash[]): void {
  for (const hash of hashes) requireHash(hash, 'hash');
}

function requireEmptyRoot(size: number, root: Hash): void {
  if (size === 0 && !bytesEqual(root, emptyRoot())) {
    throw new TlogError('proof_mismatch', 'the empty tree has one root only, SHA-256 of nothing');
  }
}

function requireIndex(index: number, size: number): void {
  requireSize(index, 'index');
  requireSize(size, 'tree size');
  if (index >= size) throw new TlogError('out_of_range', `index ${index} is not in a tree of size ${size}`);
}

function requireGrowth(oldSize: number, newSize: number): void {
  requireSize(oldSize, 'old size');
  requireSize(newSize, 'new size');
  if (oldSize > newSize) {
    throw new TlogError('out_of_range', `a tree does not shrink from ${oldSize} to ${newSize}`);
  }
}
