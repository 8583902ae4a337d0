import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type LogSource } from '../audit/verify/log-report.js';
import { HomeInUseError, type HomeLock, lockHome } from '../database/home-lock.js';
import { Unusable } from './exit-code.js';
import { folderSource } from './log-source.js';

/** Files on their way in. What a killed process left there is thrown away by the next one. */
const INCOMING = '.incoming';
/** Files by which a folder is known to hold a copy of a log, complete or begun. */
const MARKS: readonly string[] = ['checkpoint', 'vkey'];

/** A folder that one process at a time keeps a copy of a log in. A file appears whole or not at all. */
export class LogFolder implements LogSource {
  private readonly files: LogSource;
  /** Folders whose new names are not durable yet. */
  private readonly touched = new Set<string>();

  private constructor(
    readonly path: string,
    private readonly lock: HomeLock,
  ) {
    this.files = folderSource(path);
  }

  /** @throws Unusable when another process uses it, or when it holds something else */
  static async open(path: string): Promise<LogFolder> {
    const found = await readdir(path).catch((): string[] => []);
    if (found.length > 0 && !MARKS.some((mark) => found.includes(mark)))
      throw new Unusable(
        `${path} holds something else; name a new folder, or one that a log was copied into`,
      );
    const lock = lockFolder(path);
    await rm(join(path, INCOMING), { recursive: true, force: true });
    await mkdir(join(path, INCOMING), { recursive: true });
    return new LogFolder(path, lock);
  }

  async close(): Promise<void> {
    await rm(join(this.path, INCOMING), { recursive: true, force: true });
    this.lock.release();
  }

  read(path: string): Promise<Uint8Array | undefined> {
    return this.files.read(path);
  }

  /** Durable after {@link settle}. A file that holds these bytes already is left alone. */
  async write(path: string, bytes: Uint8Array): Promise<void> {
    const held = await this.read(path);
    if (held !== undefined && Buffer.from(held).equals(bytes)) return;
    const target = join(this.path, path);
    const temporary = join(this.path, INCOMING, randomUUID());
    const file = await open(temporary, 'wx', 0o644);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await mkdir(dirname(target), { recursive: true });
    await rename(temporary, target);
    for (let folder = dirname(path); ; folder = dirname(folder)) {
      this.touched.add(folder);
      if (folder === '.') return;
    }
  }

  /** Makes everything that was written so far durable: what comes after it may rely on it. */
  async settle(): Promise<void> {
    for (const folder of this.touched) {
      const directory = await open(join(this.path, folder), 'r');
      try {
        await directory.sync();
      } finally {
        await directory.close();
      }
    }
    this.touched.clear();
  }

  /** Removes every partial form of a full tile or bundle. */
  async removePartials(path: string): Promise<void> {
    await rm(join(this.path, `${path}.p`), { recursive: true, force: true });
  }
}

function lockFolder(path: string): HomeLock {
  try {
    return lockHome(path);
  } catch (error) {
    if (error instanceof HomeInUseError) throw new Unusable(`another process is copying a log into ${path}`);
    throw error;
  }
}
