import { completeSubtrees, foldSubtrees, type Hash, nodeHash, requireHash, requireSize } from './merkle.js';
import { TlogError } from './tlog-error.js';

/**
 * The right edge of a tree: the hashes of its complete subtrees, largest first. It has as many hashes as `size`
 * has one-bits (at most 53), and it is all a writer must keep to append and to know the next root.
 *
 * Immutable: appending gives a new value, so a writer that loses the race for the head has nothing to undo.
 */
export class CompactRange {
  readonly size: number;
  readonly edge: readonly Hash[];

  /** @throws TlogError out_of_range, malformed when `edge` cannot be the edge of a tree of `size` */
  constructor(size: number, edge: readonly Hash[]) {
    requireSize(size, 'tree size');
    const expected = completeSubtrees(0, size).length;
    if (edge.length !== expected) {
      throw new TlogError(
        'malformed',
        `a tree of size ${size} has ${expected} edge hashes, not ${edge.length}`,
      );
    }
    for (const hash of edge) requireHash(hash, 'edge hash');
    this.size = size;
    this.edge = edge;
  }

  static empty(): CompactRange {
    return new CompactRange(0, []);
  }

  /** The range after these leaves. O(n) amortized: each append is one binary increment. */
  append(leafHashes: readonly Hash[]): CompactRange {
    const edge = [...this.edge];
    let size = this.size;
    for (const leaf of leafHashes) {
      requireHash(leaf, 'leaf hash');
      let node = leaf;
      // Each trailing one-bit of the size is a complete left sibling waiting for this node.
      for (let rest = size; rest % 2 === 1; rest = (rest - 1) / 2) node = nodeHash(edge.pop() as Hash, node);
      edge.push(node);
      size += 1;
    }
    return new CompactRange(size, edge);
  }

  /** Root of the tree, RFC 6962 section 2.1; SHA-256("") when empty. O(log size). */
  root(): Hash {
    return foldSubtrees(this.edge);
  }
}
