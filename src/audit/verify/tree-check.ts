import { type Hash, treeRoot } from '../core/merkle.js';
import { bytesEqual } from '../core/strict-encoding.js';
import { rootOfEdge } from '../core/tile-growth.js';
import { hashCountAtLevel, type Tile, tilePath, TILE_WIDTH, tileWidth } from '../core/tiles.js';
import type { LogFinding } from './log-report.js';
import type { TileSource } from './tile-source.js';

/** A hash that follows from what lies below, or `undefined` where that could not be read. */
type Derived = Hash | undefined;

/** A rightmost tile that disagrees with what lies below it; the root decides which of them is wrong. */
interface OpenConflict {
  readonly tile: Tile;
  readonly derived: readonly Hash[];
  readonly stored: readonly Hash[];
}

/**
 * Derives the tree from its leaves, left to right, and compares every stored hash tile with it. When two files
 * disagree, the tile above (and at the right edge the signed root) tells which one is wrong, and the check goes on
 * with the right one, so that one flipped bit gives one finding. Memory: a few tiles for each of at most 7 levels.
 */
export class TreeCheck {
  readonly #size: number;
  readonly #tiles: TileSource;
  readonly #report: (finding: LogFinding) => void;
  /** Derived hashes of the unfinished tile at each level. */
  readonly #pending: Derived[][] = [];
  /** The stored tile that was read last at each level. */
  readonly #stored = new Map<number, { index: number; hashes: Hash[] | undefined }>();
  readonly #conflicts: OpenConflict[] = [];

  constructor(size: number, tiles: TileSource, report: (finding: LogFinding) => void) {
    this.#size = size;
    this.#tiles = tiles;
    this.#report = report;
  }

  /** Takes the leaf hashes of the next bundle (256, or fewer for the last one; `undefined` where unreadable). */
  async addLeaves(index: number, leaves: readonly Derived[]): Promise<void> {
    await this.#finishTile(0, index, leaves);
  }

  /** Checks the right edge and the root. */
  async finish(root: Hash): Promise<void> {
    for (let level = 1; hashCountAtLevel(level, this.#size) > 0; level++) {
      const count = hashCountAtLevel(level, this.#size);
      if (count % TILE_WIDTH === 0) continue;
      const pending = this.#pending[level] ?? [];
      await this.#finishTile(level, Math.floor(count / TILE_WIDTH), pending);
    }
    this.#checkRoot(root);
  }

  async #finishTile(level: number, index: number, derived: readonly Derived[]): Promise<void> {
    const hashes = await this.#reconcile(level, index, derived);
    this.#pending[level] = [...hashes];
    if (hashes.length < TILE_WIDTH) return;
    this.#pending[level] = [];
    const above = (this.#pending[level + 1] ??= []);
    above.push(allKnown(hashes) ? treeRoot(hashes) : undefined);
    if (above.length === TILE_WIDTH) await this.#finishTile(level + 1, Math.floor(index / TILE_WIDTH), above);
  }

  async #reconcile(level: number, index: number, derived: readonly Derived[]): Promise<readonly Derived[]> {
    const stored = await this.#storedTile(level, index);
    if (stored === undefined) return derived;
    const filled = derived.map((hash, i) => hash ?? (stored[i] as Hash));
    const wrong = filled.flatMap((hash, i) => (bytesEqual(hash, stored[i] as Hash) ? [] : [i]));
    if (wrong.length === 0) return filled;
    const tile: Tile = { level, index, width: filled.length };
    if (filled.length < TILE_WIDTH) {
      this.#conflicts.push({ tile, derived: filled, stored });
      return filled;
    }
    const above = (await this.#storedTile(level + 1, Math.floor(index / TILE_WIDTH)))?.[index % TILE_WIDTH];
    const storedIsRight = above !== undefined && bytesEqual(treeRoot(stored), above);
    this.#blame(tile, wrong, storedIsRight ? 'below' : 'tile');
    return storedIsRight ? stored : filled;
  }

  async #storedTile(level: number, index: number): Promise<Hash[] | undefined> {
    const cached = this.#stored.get(level);
    if (cached?.index === index) return cached.hashes;
    const width = tileWidth(level, index, this.#size);
    const hashes = width === 0 ? undefined : await this.#tiles.hashes({ level, index, width });
    this.#stored.set(level, { index, hashes });
    return hashes;
  }

  #checkRoot(root: Hash): void {
    const levels = this.#pending.map((hashes) => (allKnown(hashes) ? hashes : undefined));
    if (levels.includes(undefined)) {
      const detail = 'files are missing or malformed on every level, so the root cannot be derived';
      this.#report({ code: 'root_unknown', path: 'checkpoint', detail });
      return;
    }
    const storedIsRight = findMatch(levels as Hash[][], this.#conflicts, root);
    if (storedIsRight === undefined) {
      const detail = 'the entries and tiles of the log do not lead to the root that the checkpoint signs';
      this.#report({ code: 'root_mismatch', path: 'checkpoint', detail });
    }
    this.#conflicts.forEach((conflict, i) => {
      const { derived, stored, tile } = conflict;
      const wrong = derived.flatMap((hash, k) => (bytesEqual(hash, stored[k] as Hash) ? [] : [k]));
      if (storedIsRight === undefined) this.#contradiction(tile, wrong);
      else this.#blame(tile, wrong, storedIsRight[i] ? 'below' : 'tile');
    });
  }

  #blame(tile: Tile, positions: readonly number[], guilty: 'tile' | 'below'): void {
    if (guilty === 'tile') {
      const detail = `${hashesAt(positions)} not what the entries below hash to`;
      this.#report({ code: 'tile_mismatch', path: tilePath(tile), detail });
      return;
    }
    const first = tile.index * TILE_WIDTH + (positions[0] as number);
    if (tile.level === 0) {
      const more = positions.length > 1 ? ` and ${positions.length - 1} more` : '';
      const detail = `entry ${first}${more}: not what the log recorded in ${tilePath(tile)}`;
      this.#report({ code: 'bundle_mismatch', path: tilePath({ ...tile, level: 'entries' }), detail });
      return;
    }
    const child = tilePath({ level: Number(tile.level) - 1, index: first, width: TILE_WIDTH });
    const detail = `the tile and the entries below it are not what the log recorded in ${tilePath(tile)}`;
    this.#report({ code: 'tile_mismatch', path: child, detail });
  }

  #contradiction(tile: Tile, positions: readonly number[]): void {
    const detail = `${hashesAt(positions)} not what the entries below hash to, and neither leads to the signed root`;
    this.#report({ code: 'contradiction', path: tilePath(tile), detail });
  }
}

/** For each conflict, whether the stored tile (true) or what lies below it leads to the root; at most 2^7 tries. */
function findMatch(
  derivedLevels: readonly Hash[][],
  conflicts: readonly OpenConflict[],
  root: Hash,
): boolean[] | undefined {
  for (let choice = 0; choice < 2 ** conflicts.length; choice++) {
    const useStored = conflicts.map((_, i) => Math.floor(choice / 2 ** i) % 2 === 1);
    const levels = [...derivedLevels.map((hashes): readonly Hash[] => hashes)];
    conflicts.forEach(({ tile, stored }, i) => {
      if (useStored[i]) levels[tile.level as number] = stored;
    });
    if (bytesEqual(rootOfEdge(levels), root)) return useStored;
  }
  return undefined;
}

function allKnown(hashes: readonly Derived[]): hashes is readonly Hash[] {
  return !hashes.includes(undefined);
}

function hashesAt(positions: readonly number[]): string {
  const first = `hash ${positions[0]}`;
  return positions.length === 1 ? `${first} is` : `${first} and ${positions.length - 1} more are`;
}
