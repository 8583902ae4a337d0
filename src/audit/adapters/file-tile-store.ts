import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { systemErrorCode } from '../../shared/system-error.js';
import { type TileFile, type TileStore, type TileStores } from '../application/tile-store.port.js';

/** A temporary file of this age belongs to a write that was killed: one that goes on takes milliseconds. */
const LEFTOVER_AGE_MS = 3_600_000;
/** Files that are written at the same time: each waits for its own fsync. */
const PARALLEL_WRITES = 8;
const TEMPORARY = /^\.[0-9a-f]{8}-[0-9a-f-]{27}$/;

/**
 * One folder per log: `<root>/<organization id>/checkpoint`, `.../tile/...`. Ready to be served by any web server that
 * may read it: the root is made for this user alone, because entries are shown to holders of a key only.
 */
export class FileTileStores implements TileStores {
  /** Folders that this process has looked into for what killed writes left: one in 1,000 tiles. */
  private readonly swept = new Set<string>();

  constructor(private readonly root: string) {}

  ofLog(organizationId: string): TileStore {
    return new FileTileStore(join(this.root, organizationId), this.swept, this.root);
  }
}

export class FileTileStore implements TileStore {
  constructor(
    private readonly folder: string,
    private readonly swept = new Set<string>(),
    private readonly root?: string,
  ) {}

  async read(path: string): Promise<Uint8Array | undefined> {
    try {
      return await readFile(join(this.folder, path));
    } catch (error) {
      if (['ENOENT', 'ENOTDIR'].includes(systemErrorCode(error) ?? '')) return undefined;
      throw error;
    }
  }

  /** Temporary file, fsync, rename, fsync of the folder: after a crash a reader sees the old file or the new one. */
  async write(path: string, bytes: Uint8Array, lastCheck?: () => Promise<void>): Promise<void> {
    const folder = dirname(join(this.folder, path));
    await this.prepareFolder(folder);
    await this.place({ path, bytes }, lastCheck);
    await syncFolder(folder);
  }

  /** As above, with one fsync for each folder instead of one for each file in it. */
  async writeAll(files: readonly TileFile[]): Promise<void> {
    const folders = new Set(files.map(({ path }) => dirname(join(this.folder, path))));
    for (const folder of folders) await this.prepareFolder(folder);
    const queue = [...files];
    const work = async (): Promise<void> => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) await this.place(next);
    };
    const ends = await Promise.allSettled(Array.from({ length: PARALLEL_WRITES }, work));
    const failed = ends.find((end) => end.status === 'rejected');
    if (failed) throw failed.reason;
    for (const folder of folders) await syncFolder(folder);
  }

  /** The bytes are durable, their name is not yet. */
  private async place({ path, bytes }: TileFile, lastCheck?: () => Promise<void>): Promise<void> {
    const target = join(this.folder, path);
    const folder = dirname(target);
    const temporary = join(folder, `.${randomUUID()}`);
    try {
      await writeDurably(temporary, bytes);
      await lastCheck?.();
      await rename(temporary, target);
    } catch (error) {
      // On a full disk each attempt would leave another piece of a file. After the rename there is nothing to remove.
      await rm(temporary, { force: true }).catch(() => undefined);
      throw error;
    }
  }

  async partialWidths(path: string): Promise<number[]> {
    try {
      const names = await readdir(join(this.folder, `${path}.p`));
      return names.filter((name) => /^[1-9][0-9]{0,2}$/.test(name)).map(Number);
    } catch (error) {
      if (['ENOENT', 'ENOTDIR'].includes(systemErrorCode(error) ?? '')) return [];
      throw error;
    }
  }

  async removePartials(path: string): Promise<void> {
    await rm(join(this.folder, `${path}.p`), { recursive: true, force: true });
  }

  private async prepareFolder(folder: string): Promise<void> {
    const madeRoot = this.root && (await mkdir(this.root, { recursive: true, mode: 0o700 }));
    const madeBelow = await mkdir(folder, { recursive: true });
    const firstMade = madeRoot ?? madeBelow;
    if (firstMade !== undefined) {
      // The names of new folders must be durable, too, or a power failure takes them with all that lies in them.
      for (let made = folder; made.length >= firstMade.length; made = dirname(made))
        await syncFolder(dirname(made));
    }
    // Folders of partial tiles are removed as a whole when the tile is full.
    if (folder.endsWith('.p') || this.swept.has(folder)) return;
    this.swept.add(folder);
    if (firstMade === undefined) await removeLeftovers(folder);
  }
}

async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'wx', 0o644);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function syncFolder(folder: string): Promise<void> {
  const directory = await open(folder, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** Best effort: they harm nobody. */
async function removeLeftovers(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!TEMPORARY.test(name)) continue;
    const path = join(folder, name);
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Infinity }));
    if (Date.now() - mtimeMs > LEFTOVER_AGE_MS) await rm(path, { force: true }).catch(() => undefined);
  }
}
