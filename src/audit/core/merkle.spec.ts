import { beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { effort } from '../../../test/support/effort.js';
import { codeOf } from '../../../test/vectors/tlog/refusal.js';
import { goldenLeaves, readGolden, readVector } from '../../../test/vectors/tlog/vectors.js';
import { CompactRange } from './compact-range.js';
import { completeSubtrees, emptyRoot, type Hash, leafHash, nodeHash, treeRoot } from './merkle.js';
import {
  consistencyProof,
  type HashReader,
  inclusionProof,
  rootFromHashes,
  verifyConsistency,
  verifyInclusion,
} from './merkle-proof.js';

const MAX_SIZE = effort(140, 300);
const EVERYTHING_UP_TO = 64;
const leaves = goldenLeaves(0, MAX_SIZE);

/** RFC 6962 section 2.1 word for word, slow on purpose: the independent statement of what is right. */
const memo = new Map<number, Hash>();
function naiveRoot(start: number, end: number): Hash {
  const key = start * 1_000_000 + end;
  const known = memo.get(key);
  if (known) return known;
  let k = 1;
  while (k * 2 < end - start) k *= 2;
  const root =
    end === start
      ? emptyRoot()
      : end - start === 1
        ? (leaves[start] as Hash)
        : nodeHash(naiveRoot(start, start + k), naiveRoot(start + k, end));
  memo.set(key, root);
  return root;
}

/** RFC 6962 section 2.1.1, PATH(m, D[n]), word for word. */
function naivePath(m: number, start: number, end: number): Hash[] {
  if (end - start === 1) return [];
  let k = 1;
  while (k * 2 < end - start) k *= 2;
  return m < k
    ? [...naivePath(m, start, start + k), naiveRoot(start + k, end)]
    : [...naivePath(m - k, start + k, end), naiveRoot(start, start + k)];
}

/** RFC 6962 section 2.1.2, SUBPROOF(m, D[n], b), word for word. */
function naiveSubproof(m: number, start: number, end: number, isWholeTree: boolean): Hash[] {
  if (m === end - start) return isWholeTree ? [] : [naiveRoot(start, end)];
  let k = 1;
  while (k * 2 < end - start) k *= 2;
  return m <= k
    ? [...naiveSubproof(m, start, start + k, isWholeTree), naiveRoot(start + k, end)]
    : [...naiveSubproof(m - k, start + k, end, false), naiveRoot(start, start + k)];
}

const reader: HashReader = {
  readHash: (level, index) => Promise.resolve(naiveRoot(index * 2 ** level, (index + 1) * 2 ** level)),
};

/** Roots of all sizes, by the naive recursion. */
const roots = Array.from({ length: MAX_SIZE + 1 }, (_, size) => naiveRoot(0, size));

function flipped(hash: Hash, position: number): Hash {
  const copy = Uint8Array.from(hash);
  const at = position % copy.length;
  copy[at] = (copy[at] ?? 0) ^ (1 + (position % 255));
  return copy;
}

const stranger = leafHash(Buffer.from('stranger'));

/** The ways to spoil a proof at one place; `undefined` where there is nothing to swap. */
const SPOILERS: ((proof: Hash[], i: number) => Hash[] | undefined)[] = [
  (proof, i) => proof.toSpliced(i, 1, flipped(proof[i] as Hash, i)),
  (proof, i) => proof.toSpliced(i, 1),
  (proof, i) => proof.toSpliced(i, 0, proof[i] as Hash),
  (proof, i) => {
    const next = proof[i + 1];
    return next && proof.toSpliced(i, 2, next, proof[i] as Hash);
  },
];

/** Every spoiled form of a small proof; one form of a large one, another for each `turn`. */
function corruptions(proof: Hash[], size: number, turn: number): Hash[][] {
  if (size > EVERYTHING_UP_TO) {
    const spoil = SPOILERS[turn % SPOILERS.length];
    const position = Math.floor(turn / SPOILERS.length) % Math.max(1, proof.length);
    return [(proof.length > 0 && spoil?.(proof, position)) || [stranger, ...proof]];
  }
  const all = proof.flatMap((_, i) => SPOILERS.map((spoil) => spoil(proof, i)));
  return [[stranger, ...proof], [...proof, stranger], ...all.filter((bad) => bad !== undefined)];
}

/** Very many refusals follow; writing a stack for each would take most of the time. */
Error.stackTraceLimit = 0;

const REFUSALS = ['proof_length', 'proof_mismatch'];

describe('vectors of Certificate Transparency', () => {
  const vectors = readVector('rfc6962.json') as { leaves: string[]; leafHashes: string[]; roots: string[] };

  it('gives the well-known leaf hashes and roots', () => {
    const hashes = vectors.leaves.map((hex) => leafHash(Buffer.from(hex, 'hex')));
    expect(hashes.map((hash) => Buffer.from(hash).toString('hex'))).toEqual(vectors.leafHashes);
    vectors.roots.forEach((root, size) => {
      expect(Buffer.from(treeRoot(hashes.slice(0, size))).toString('hex')).toBe(root);
    });
  });
});

describe(`every tree of 0 to ${MAX_SIZE} entries`, () => {
  it('has one root, by recursion, by pairing, by compact range and by proofs', async () => {
    let range = CompactRange.empty();
    for (let size = 0; size <= MAX_SIZE; size++) {
      expect(treeRoot(leaves.slice(0, size))).toEqual(roots[size]);
      expect(range.size).toBe(size);
      expect(range.root()).toEqual(roots[size]);
      expect(new CompactRange(size, range.edge).root()).toEqual(roots[size]);
      expect(await rootFromHashes(reader, size)).toEqual(roots[size]);
      range = range.append(leaves.slice(size, size + 1));
    }
  });

  it('appends in batches of any size alike, and leaves the old range as it was', () => {
    for (let first = 0; first <= MAX_SIZE; first += 7) {
      const start = CompactRange.empty().append(leaves.slice(0, first));
      for (let size = first; size <= MAX_SIZE; size += 13) {
        expect(start.append(leaves.slice(first, size)).root()).toEqual(roots[size]);
      }
      expect(start.root()).toEqual(roots[first]);
    }
  });

  it('proves every entry, and refuses every corruption of the proof', async () => {
    for (let size = 1; size <= MAX_SIZE; size++) {
      for (let index = 0; index < size; index++) {
        const proof = await inclusionProof(reader, index, size);
        if (size <= EVERYTHING_UP_TO) expect(proof).toEqual(naivePath(index, 0, size));
        const claim = { index, size, leafHash: leaves[index] as Hash, root: roots[size] as Hash };
        verifyInclusion(claim, proof);
        for (const bad of corruptions(proof, size, index + size)) {
          const code = codeOf(() => verifyInclusion(claim, bad));
          if (!REFUSALS.includes(code)) throw new Error(`accepted a bad proof of ${index} in ${size}`);
        }
      }
    }
  });

  it('refuses an honest inclusion proof for another leaf, index, size or root', async () => {
    for (let size = 1; size <= EVERYTHING_UP_TO; size++) {
      for (let index = 0; index < size; index++) {
        const proof = await inclusionProof(reader, index, size);
        const claim = { index, size, leafHash: leaves[index] as Hash, root: roots[size] as Hash };
        const others = [
          { ...claim, leafHash: leaves[(index + 1) % MAX_SIZE] as Hash },
          { ...claim, root: roots[size + 1] as Hash },
          ...Array.from({ length: size }, (_, i) => ({ ...claim, index: i })).filter((_, i) => i !== index),
        ];
        for (const other of others) {
          const code = codeOf(() => verifyInclusion(other, proof));
          if (!REFUSALS.includes(code)) throw new Error(`accepted ${other.index} as ${index} in ${size}`);
        }
        expect(codeOf(() => verifyInclusion({ ...claim, index: size }, proof))).toBe('out_of_range');
      }
    }
  });

  it('proves every growth, and refuses every corruption of the proof', async () => {
    for (let newSize = 0; newSize <= MAX_SIZE; newSize++) {
      for (let oldSize = 0; oldSize <= newSize; oldSize++) {
        const proof = await consistencyProof(reader, oldSize, newSize);
        if (oldSize > 0 && newSize <= EVERYTHING_UP_TO) {
          expect(proof).toEqual(naiveSubproof(oldSize, 0, newSize, true));
        }
        const claim = { oldSize, newSize, oldRoot: roots[oldSize] as Hash, newRoot: roots[newSize] as Hash };
        verifyConsistency(claim, proof);
        for (const bad of corruptions(proof, newSize, oldSize + newSize)) {
          const code = codeOf(() => verifyConsistency(claim, bad));
          if (!REFUSALS.includes(code)) throw new Error(`accepted a bad proof ${oldSize} -> ${newSize}`);
        }
      }
    }
  });

  it('refuses an honest consistency proof for other roots or sizes', async () => {
    for (let newSize = 1; newSize <= EVERYTHING_UP_TO; newSize++) {
      for (let oldSize = 1; oldSize <= newSize; oldSize++) {
        const proof = await consistencyProof(reader, oldSize, newSize);
        const claim = { oldSize, newSize, oldRoot: roots[oldSize] as Hash, newRoot: roots[newSize] as Hash };
        for (const other of [
          { ...claim, oldRoot: flipped(claim.oldRoot, oldSize) },
          { ...claim, newRoot: flipped(claim.newRoot, oldSize) },
          { ...claim, oldRoot: emptyRoot(), oldSize: 0, newRoot: emptyRoot(), newSize: 0 },
        ]) {
          const code = codeOf(() => verifyConsistency(other, proof));
          // The empty proof from nothing to nothing is right; all else is not.
          expect([...REFUSALS, ...(other.newSize === 0 && proof.length === 0 ? ['none'] : [])]).toContain(
            code,
          );
        }
        expect(codeOf(() => verifyConsistency({ ...claim, oldSize: newSize + 1 }, proof))).toBe(
          'out_of_range',
        );
      }
    }
  });
});

describe('what is not a tree', () => {
  const hash = emptyRoot();
  it.each([-1, 0.5, Number.NaN, Infinity, 2 ** 53, 2 ** 63])('refuses size or index %p at once', (size) => {
    expect(codeOf(() => new CompactRange(size, []))).toBe('out_of_range');
    const inclusion = { index: 0, size, leafHash: hash, root: hash };
    expect(codeOf(() => verifyInclusion(inclusion, []))).toBe('out_of_range');
    expect(codeOf(() => verifyInclusion({ ...inclusion, size: 1, index: size }, []))).toBe('out_of_range');
    const growth = { oldSize: 0, oldRoot: hash, newSize: size, newRoot: hash };
    expect(codeOf(() => verifyConsistency(growth, []))).toBe('out_of_range');
  });

  it('refuses hashes of another length and edges that do not fit the size', () => {
    expect(codeOf(() => new CompactRange(3, [hash]))).toBe('malformed');
    expect(codeOf(() => new CompactRange(2, [hash.subarray(1)]))).toBe('malformed');
    expect(codeOf(() => CompactRange.empty().append([new Uint8Array(31)]))).toBe('malformed');
    const short = { index: 0, size: 2, leafHash: hash, root: hash };
    expect(codeOf(() => verifyInclusion(short, [new Uint8Array(33)]))).toBe('malformed');
    const growth = { oldSize: 1, oldRoot: hash, newSize: 2, newRoot: hash };
    expect(codeOf(() => verifyConsistency(growth, [new Uint8Array(0)]))).toBe('malformed');
  });

  it('refuses a proof of 100,000 hashes and a non-empty proof from nothing', () => {
    const many = Array.from({ length: 100_000 }, () => hash);
    expect(codeOf(() => verifyInclusion({ index: 0, size: 2 ** 52, leafHash: hash, root: hash }, many))).toBe(
      'proof_length',
    );
    expect(
      codeOf(() => verifyConsistency({ oldSize: 0, oldRoot: hash, newSize: 9, newRoot: hash }, [hash])),
    ).toBe('proof_length');
    const notEmpty = { oldSize: 0, oldRoot: leafHash(hash), newSize: 9, newRoot: hash };
    expect(codeOf(() => verifyConsistency(notEmpty, []))).toBe('proof_mismatch');
  });
});

describe('trees above 300 entries', () => {
  /** A huge tree in which every leaf is the same: each level has one hash, so any size is cheap. */
  const levels: Hash[] = [leafHash(Buffer.from('same'))];
  for (let level = 1; level < 53; level++) {
    levels.push(nodeHash(levels[level - 1] as Hash, levels[level - 1] as Hash));
  }
  const sameLeaves: HashReader = { readHash: (level) => Promise.resolve(levels[level] as Hash) };
  const sizeArbitrary = fc.oneof(
    fc.integer({ min: 301, max: 100_000 }),
    fc.maxSafeNat().map((n) => n + 1 - 1),
  );

  it('proves and refuses alike up to 2^53 - 1 entries', async () => {
    await fc.assert(
      fc.asyncProperty(
        sizeArbitrary,
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        async (n, part) => {
          const size = Math.max(n, 2);
          const index = Math.floor(size * part);
          const root = await rootFromHashes(sameLeaves, size);
          const proof = await inclusionProof(sameLeaves, index, size);
          const claim = { index, size, leafHash: levels[0] as Hash, root };
          verifyInclusion(claim, proof);
          for (let i = 0; i < proof.length; i++) {
            const bad = proof.toSpliced(i, 1, flipped(proof[i] as Hash, i));
            expect(codeOf(() => verifyInclusion(claim, bad))).toBe('proof_mismatch');
            expect(codeOf(() => verifyInclusion(claim, proof.toSpliced(i, 1)))).toBe('proof_length');
          }
          const growth = {
            oldSize: index,
            oldRoot: await rootFromHashes(sameLeaves, index),
            newSize: size,
            newRoot: root,
          };
          const steps = await consistencyProof(sameLeaves, index, size);
          verifyConsistency(growth, steps);
          for (let i = 0; i < steps.length; i++) {
            const bad = steps.toSpliced(i, 1, flipped(steps[i] as Hash, i));
            expect(codeOf(() => verifyConsistency(growth, bad))).toBe('proof_mismatch');
            expect(codeOf(() => verifyConsistency(growth, steps.toSpliced(i, 1)))).toBe('proof_length');
          }
        },
      ),
      { numRuns: 100 },
    );
  });

  it('covers a range exactly, largest subtree first', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (size) => {
        let [next, previous] = [0, Infinity];
        for (const { level, index } of completeSubtrees(0, size)) {
          expect(index * 2 ** level).toBe(next);
          expect(level).toBeLessThan(previous);
          [next, previous] = [next + 2 ** level, level];
        }
        expect(next).toBe(size);
      }),
    );
  });
});

describe('vectors of Go', () => {
  const golden = readGolden();
  const decode = (text: string): Hash => Buffer.from(text, 'base64');
  const rootOf = new Map(golden.checkpoints.map(({ size, root }) => [size, decode(root)]));
  let ranges: CompactRange;
  beforeAll(() => {
    ranges = CompactRange.empty();
  });

  it('has the roots of x/mod for sizes up to 70,000', () => {
    for (const { size, root } of golden.checkpoints) {
      ranges = ranges.append(goldenLeaves(ranges.size, size));
      expect(Buffer.from(ranges.root()).toString('base64')).toBe(root);
    }
  });

  it('accepts the proofs of x/mod', () => {
    for (const { index, size, leaf, proof } of golden.inclusion) {
      const claim = { index, size, leafHash: decode(leaf), root: rootOf.get(size) as Hash };
      expect(Buffer.from(goldenLeaves(index, index + 1)[0] as Hash).toString('base64')).toBe(leaf);
      verifyInclusion(claim, proof.map(decode));
    }
    for (const { oldSize, newSize, proof } of golden.consistency) {
      const [oldRoot, newRoot] = [rootOf.get(oldSize) as Hash, rootOf.get(newSize) as Hash];
      verifyConsistency({ oldSize, newSize, oldRoot, newRoot }, proof.map(decode));
    }
  });
});
