import { type Checkpoint } from '../core/checkpoint.js';
import { decodeBundle } from '../core/entry-bundle.js';
import { type Hash, leafHash } from '../core/merkle.js';
import { decodeTile, type Tile, tilePath, TILE_WIDTH, tileWidth } from '../core/tiles.js';
import { TlogError } from '../core/tlog-error.js';
import { type LogFinding, type LogSource } from '../verify/log-report.js';
import { tileReaderOf } from './published-tiles.js';

/**
 * Leaf hashes as they were published, taken from whichever of tile and bundle was not found to be wrong: a damaged tile
 * must not make 256 sound rows look damaged.
 */
export class PublishedHashes {
  private readonly wrong: ReadonlySet<string>;
  private read: { readonly index: number; readonly hashes: readonly Hash[] | undefined } | undefined;

  constructor(
    private readonly store: LogSource,
    private readonly checkpoint: Checkpoint,
    findings: readonly LogFinding[],
  ) {
    this.wrong = new Set(findings.map(({ path }) => path));
  }

  get size(): number {
    return this.checkpoint.size;
  }

  /** `undefined` beyond the checkpoint, and where neither tile nor bundle can be believed. */
  async of(index: number): Promise<Hash | undefined> {
    if (index >= this.checkpoint.size) return undefined;
    const tile = Math.floor(index / TILE_WIDTH);
    if (this.read?.index !== tile) this.read = { index: tile, hashes: await this.hashes(tile) };
    return this.read.hashes?.[index % TILE_WIDTH];
  }

  private async hashes(index: number): Promise<readonly Hash[] | undefined> {
    const tile: Tile = { level: 0, index, width: tileWidth(0, index, this.checkpoint.size) };
    const bundle: Tile = { ...tile, level: 'entries' };
    const reader = tileReaderOf(this.store);
    if (!this.wrong.has(tilePath(tile))) return decodeTile(await reader.readTile(tile), tile.width);
    if (this.wrong.has(tilePath(bundle))) return undefined;
    try {
      return decodeBundle(await reader.readTile(bundle), bundle.width).map(leafHash);
    } catch (error) {
      if (error instanceof TlogError) return undefined;
      throw error;
    }
  }
}
