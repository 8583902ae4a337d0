import fs, { type FileHandle } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import pg from 'pg';

/**
 * What goes wrong, and where. `n` counts statements (`sql`) or file operations (`file`) from 1.
 * - `before`, `after`: killed at that moment. `sent`: the statement is on its way, the answer is not awaited.
 * - `fails`: the operation fails, half done if it writes. `fails_after`: it takes effect and fails all the same.
 */
export interface Fault {
  readonly kind: 'sql' | 'file';
  readonly at: 'before' | 'sent' | 'after' | 'fails' | 'fails_after';
  readonly n: number;
}

export interface Counted {
  readonly sql: readonly string[];
  readonly file: readonly string[];
}

/** From outside the product: wraps the driver and the file system of this process. */
export class FaultInjector {
  private fault: Fault | undefined;
  private counting = false;
  private done: { sql: string[]; file: string[] } = { sql: [], file: [] };
  /** Every write fails as on a full disk. */
  diskFull = false;

  install(): void {
    this.wrapDriver();
    this.wrapFiles();
    syncBuiltinESMExports();
  }

  arm(fault: Fault | undefined): void {
    this.fault = fault;
    this.done = { sql: [], file: [] };
    this.counting = true;
  }

  disarm(): Counted {
    this.counting = false;
    this.fault = undefined;
    return this.done;
  }

  /** The fault at this operation, if it is its turn. */
  private turn(kind: Fault['kind'], name: string): Fault['at'] | undefined {
    if (!this.counting) return undefined;
    this.done[kind].push(name);
    const hit = this.fault?.kind === kind && this.fault.n === this.done[kind].length;
    return hit ? this.fault?.at : undefined;
  }

  private wrapDriver(): void {
    type Query = (this: pg.Client, ...words: unknown[]) => unknown;
    const prototype = pg.Client.prototype as unknown as { query: Query };
    const original = prototype.query;
    const turn = (name: string): Fault['at'] | undefined => this.turn('sql', name);
    prototype.query = function (this: pg.Client, ...words: unknown[]): unknown {
      const at = turn(statementOf(words[0]));
      if (at === undefined) return original.apply(this, words);
      if (at === 'before') die();
      const callback = words.at(-1);
      if (at === 'after' && typeof callback === 'function')
        return original.apply(this, [...words.slice(0, -1), die]);
      const answer = original.apply(this, words);
      if (at === 'sent') setImmediate(die);
      return at === 'after' ? (answer as Promise<unknown>).finally(die) : answer;
    };
  }

  private wrapFiles(): void {
    const operate = this.operate.bind(this);
    const { mkdir, open, readFile, rename, rm, unlink, readdir } = fs;
    fs.mkdir = ((...words: Parameters<typeof mkdir>) =>
      operate('mkdir', words[0], () => mkdir(...words))) as typeof mkdir;
    fs.rename = (from, to) => operate('rename', to, () => rename(from, to));
    fs.rm = (path, options) => operate('rm', path, () => rm(path, options));
    fs.readFile = ((...words: Parameters<typeof readFile>) =>
      operate('read', words[0], () => readFile(...words))) as typeof readFile;
    fs.unlink = (path) => operate('unlink', path, () => unlink(path));
    fs.readdir = ((...words: Parameters<typeof readdir>) =>
      operate('readdir', words[0], () => readdir(...words))) as typeof readdir;
    fs.open = async (path, flags, mode) => {
      const file = await operate(`open ${String(flags)}`, path, () => open(path, flags, mode));
      return this.wrapHandle(file, String(path));
    };
  }

  private wrapHandle(file: FileHandle, path: string): FileHandle {
    const operate = this.operate.bind(this);
    const writeFile = file.writeFile.bind(file);
    const sync = file.sync.bind(file);
    const close = file.close.bind(file);
    file.writeFile = (data, options) =>
      operate(
        'write',
        path,
        () => writeFile(data, options),
        async () =>
          void (await file.write((data as Uint8Array).subarray(0, (data as Uint8Array).length / 2))),
      );
    file.sync = () => operate('sync', path, () => sync());
    // A handle that failed to close is closed all the same, as Linux does it.
    file.close = () =>
      operate(
        'close',
        path,
        () => close(),
        () => close(),
      );
    return file;
  }

  private async operate<T>(
    name: string,
    path: unknown,
    work: () => Promise<T>,
    half: () => Promise<void> = () => Promise.resolve(),
  ): Promise<T> {
    const at = this.turn('file', `${name} ${shortened(String(path))}`);
    const writes = !['close', 'open r', 'read', 'rm', 'unlink', 'readdir'].includes(name);
    if (at === 'before') die();
    if (at === 'fails' || (this.diskFull && writes)) {
      await half();
      throw noSpace(name);
    }
    const result = await work();
    if (at === 'after') die();
    if (at === 'fails_after') throw noSpace(name);
    return result;
  }
}

function die(): never {
  process.kill(process.pid, 'SIGKILL');
  throw new Error('unreachable: SIGKILL cannot be survived');
}

function noSpace(call: string): Error {
  return Object.assign(new Error(`ENOSPC: no space left on device, ${call}`), { code: 'ENOSPC' });
}

function statementOf(query: unknown): string {
  const text = typeof query === 'string' ? query : ((query as { text?: string }).text ?? 'query');
  return text.replace(/\s+/g, ' ').slice(0, 60);
}

function shortened(path: string): string {
  return path
    .split('/')
    .slice(-3)
    .join('/')
    .replace(/\.[0-9a-f-]{36}$/, '.temporary');
}
