/**
 * Where the published files of one log lie: `checkpoint`, `tile/...`. Paths are those of C2SP tlog-tiles.
 * A tile is written before the checkpoint that needs it, and both are durable when the promise resolves.
 */
export interface TileStore {
  /** `undefined` when there is no such file. */
  read(path: string): Promise<Uint8Array | undefined>;
  /**
   * Writing the same bytes again is harmless; a file never changes its content, except `checkpoint`.
   * @param lastCheck called when the bytes are durable, but not visible yet; when it rejects, they never become so
   */
  write(path: string, bytes: Uint8Array, lastCheck?: () => Promise<void>): Promise<void>;
  /**
   * Tiles and bundles, each like `write`. In which order they become durable is not said; all are when this resolves,
   * and when it rejects none is being written any more.
   */
  writeAll(files: readonly TileFile[]): Promise<void>;
  /** Widths of the partial forms of a full tile or bundle (`<path>.p/<width>`) that are there. */
  partialWidths(path: string): Promise<number[]>;
  /** Removes every partial form of a full tile or bundle (`<path>.p/<width>`). Nothing happens when there is none. */
  removePartials(path: string): Promise<void>;
}

export interface TileFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

export interface TileStores {
  ofLog(organizationId: string): TileStore;
}
