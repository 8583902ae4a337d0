import { readFileSync } from 'node:fs';
import { leafHash, type Hash } from '../../../src/audit/core/merkle.js';
import { CompactRange } from '../../../src/audit/core/compact-range.js';
import { growLog } from '../../../src/audit/core/tile-growth.js';
import { type Tile, tilePath, type TileReader } from '../../../src/audit/core/tiles.js';

export interface Golden {
  log: { name: string; skey: string; vkey: string };
  witness: { name: string; skey: string; vkey: string };
  cosignerVkey: string;
  checkpoints: { size: number; root: string; note: string }[];
  inclusion: { size: number; index: number; leaf: string; proof: string[] }[];
  consistency: { oldSize: number; newSize: number; proof: string[] }[];
  growth: { oldSize: number; newSize: number; tiles: string[] }[];
  paths: { level: number; index: number; width: number; tile: string; entries: string }[];
}

/** Vectors recorded from Go; see ORIGIN.md. */
export function readGolden(): Golden {
  return readVector('golden.json') as Golden;
}

export function readVector(name: string): unknown {
  return JSON.parse(readFileSync(new URL(name, import.meta.url), 'utf8'));
}

/** Entry i of the golden log. */
export function goldenEntry(index: number): Buffer {
  return Buffer.from(`entry ${index}`);
}

export function goldenLeaves(start: number, end: number): Hash[] {
  return Array.from({ length: end - start }, (_, i) => leafHash(goldenEntry(start + i)));
}

/** A log in memory, written batch by batch as a writer would: its files by path. */
export class MemoryLog implements TileReader {
  readonly files = new Map<string, Buffer>();
  range = CompactRange.empty();

  async append(entries: readonly Uint8Array[]): Promise<void> {
    const { range, tiles } = await growLog(this.range, entries, this);
    for (const { tile, bytes } of tiles) this.files.set(tilePath(tile), bytes);
    this.range = range;
  }

  async appendGolden(...batchSizes: number[]): Promise<void> {
    for (const count of batchSizes) {
      const first = this.range.size;
      await this.append(Array.from({ length: count }, (_, i) => goldenEntry(first + i)));
    }
  }

  readTile(tile: Tile): Promise<Uint8Array> {
    const bytes = this.files.get(tilePath(tile));
    return bytes ? Promise.resolve(bytes) : Promise.reject(new Error(`no ${tilePath(tile)}`));
  }

  /** The same log as a verifier's source. */
  read(path: string): Promise<Uint8Array | undefined> {
    return Promise.resolve(this.files.get(path));
  }
}
