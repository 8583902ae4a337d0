/**
 * Where the published files of one log lie: `checkpoint`, `tile/...`. Paths are those of C2SP tlog-tiles.
 * A tile is written before the checkpoint that needs it, and both are durable when the promise resolves.
 */
export interface TileStore {
  /** `undefined` when there is no such file. */
  read(path: string): Promise<Uint8Array | undefined>;
  /** Writing the same bytes again is harmless; a file never changes its content, except `checkpoint`. */
  write(path: string, bytes: Uint8Array): Promise<void>;
}

export interface TileStores {
  ofLog(organizationId: string): TileStore;
}
