import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { systemErrorCode } from '../../shared/system-error.js';
import { type TileStore, type TileStores } from '../application/tile-store.port.js';

/** One folder per log: `<root>/<organization id>/checkpoint`, `.../tile/...`. Ready to be served by any web server. */
export class FileTileStores implements TileStores {
  constructor(private readonly root: string) {}

  ofLog(organizationId: string): TileStore {
    return new FileTileStore(join(this.root, organizationId));
  }
}

export class FileTileStore implements TileStore {
  constructor(private readonly folder: string) {}

  async read(path: string): Promise<Uint8Array | undefined> {
    try {
      return await readFile(join(this.folder, path));
    } catch (error) {
      if (['ENOENT', 'ENOTDIR'].includes(systemErrorCode(error) ?? '')) return undefined;
      throw error;
    }
  }

  /** Temporary file, fsync, rename, fsync of the folder: after a crash a reader sees the old file or the new one. */
  async write(path: string, bytes: Uint8Array): Promise<void> {
    const target = join(this.folder, path);
    const folder = dirname(target);
    await mkdir(folder, { recursive: true });
    const temporary = join(folder, `.${randomUUID()}`);
    const file = await open(temporary, 'wx', 0o644);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, target);
    const directory = await open(folder, 'r');
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  }
}
