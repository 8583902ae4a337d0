import { type ChildProcess, spawn } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/database/embedded-postgres.js';
import { createDatabaseIfMissing } from '../../src/database/prepare-database.js';
import { type Instance } from '../../src/identity/application/create-development-organization.js';
import { ColophonProcess, freePort } from './support/colophon-process.js';
import { eventually } from '../support/eventually.js';
import { serverProcessId } from './support/home-database.js';

const IS_ROOT = process.getuid?.() === 0;
const NOBODY = { uid: 65534, gid: 65534 };
const folders: string[] = [];
const started: { kill(): Promise<void> }[] = [];

function newFolder(parent: string = tmpdir(), mode = 0o755): string {
  const folder = mkdtempSync(join(parent, 'colophon-life-'));
  chmodSync(folder, mode);
  folders.push(folder);
  return folder;
}

async function start(
  home: string,
  options: Omit<Parameters<typeof ColophonProcess.start>[0], 'home'> = {},
): Promise<ColophonProcess> {
  const program = ColophonProcess.spawn({ home, ...options });
  started.push(program);
  await program.ready();
  return program;
}

/** Ends with a code of its own accord. */
async function startRefused(
  home: string,
  environment: Record<string, string> = {},
): Promise<{ code: unknown; output: string }> {
  const program = ColophonProcess.spawn({ home, environment });
  started.push(program);
  return { code: await program.exited, output: program.output };
}

function serverLog(home: string): string {
  return readFileSync(join(home, 'postgres', 'server.log'), 'utf8');
}

interface Process {
  readonly id: number;
  readonly parentId: number;
  readonly words: readonly string[];
}

/** Everything whose command line names something in this home: its PostgreSQL, wherever it came from. */
function processesOf(home: string): Process[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const words = readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0');
        const parent = /^PPid:\s*(\d+)$/m.exec(readFileSync(`/proc/${name}/status`, 'utf8'))?.[1];
        return [{ id: Number(name), parentId: Number(parent), words }];
      } catch {
        return [];
      }
    })
    .filter(({ words }) => words.some((word) => word.startsWith(join(home, 'postgres'))));
}

/** Servers, without their children: those have the same command line at the beginning of their lives. */
function serversOf(home: string): number[] {
  const servers = processesOf(home).filter(({ words }) => words[0]?.endsWith('/postgres') === true);
  const ids = servers.map(({ id }) => id);
  return servers.filter(({ parentId }) => !ids.includes(parentId)).map(({ id }) => id);
}

function cutPower(home: string): void {
  for (const { id } of processesOf(home)) process.kill(id, 'SIGKILL');
}

function filesBelow(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true })
    .map((name) => join(folder, String(name)))
    .filter((file) => statSync(file, { throwIfNoEntry: false })?.isFile() === true);
}

function readInstance(home: string): Instance {
  return JSON.parse(readFileSync(join(home, 'instance.json'), 'utf8')) as Instance;
}

/** A program of somebody who has nothing to do with us, under the account of the database. */
function sleeper({ uid, gid }: { uid: number; gid: number }): ChildProcess {
  return spawn('sleep', ['600'], { stdio: 'ignore', ...(IS_ROOT ? { uid, gid } : {}) });
}

async function addProject(program: ColophonProcess, name: string): Promise<void> {
  await program.json('/v1/projects', {
    method: 'POST',
    body: JSON.stringify({ name }),
    headers: { 'content-type': 'application/json' },
  });
}

async function projects(program: ColophonProcess): Promise<string[]> {
  const { items } = await program.json<{ items: { name: string }[] }>('/v1/projects');
  return items.map(({ name }) => name);
}

describe('the life of an instance', () => {
  afterEach(async () => {
    for (const program of started.splice(0)) await program.kill();
  });
  afterAll(() => {
    for (const folder of folders) {
      cutPower(folder);
      rmSync(folder, { recursive: true, force: true });
    }
  });

  describe('on one home, with spaces in a path longer than a socket may have', () => {
    const home = join(newFolder(), 'home with spaces', 'and-a-long-name-'.repeat(12));
    const all = ['First campaign', 'Kept'];

    it('makes keys that only the owner reads, and says that nobody else trusts them', async () => {
      const program = await start(home);
      expect(program.output).toContain('not trusted');
      const keys = filesBelow(join(home, 'keys'));
      expect(keys.length).toBeGreaterThan(5);
      for (const file of [...keys, join(home, 'instance.json'), join(home, 'postgres', 'password')])
        expect([file, statSync(file).mode & 0o777]).toEqual([file, 0o600]);
      const certificate = readFileSync(join(home, 'keys', 'claim-chain.pem'));
      // RFC 4514 escapes the comma.
      expect(new X509Certificate(certificate).subject).toContain('Development\\, not trusted');
      await addProject(program, 'Kept');
      expect(await program.signal('SIGINT')).toBe(0);
      expect(serversOf(home)).toEqual([]);
      expect(existsSync(join(home, 'lock'))).toBe(false);
    });

    it('finds everything again, without recovery after Ctrl-C and with it after kill -9', async () => {
      const files = filesBelow(join(home, 'keys')).map((file) => [file, readFileSync(file, 'utf8')]);
      const { keys, log, organizationId, projectId } = readInstance(home);
      const second = await start(home);
      expect(second.instance).toMatchObject({ keys, log, organizationId, projectId });
      expect(await projects(second)).toEqual(all);
      expect(serverLog(home)).not.toContain('not properly shut down');
      await second.kill();
      const orphan = serverProcessId(home);
      expect(serversOf(home)).toEqual([orphan]);
      const third = await start(home);
      expect(serversOf(home)).toHaveLength(1);
      expect(serversOf(home)).not.toContain(orphan);
      expect(await projects(third)).toEqual(all);
      expect(filesBelow(join(home, 'keys')).map((file) => [file, readFileSync(file, 'utf8')])).toEqual(files);
    }, 180_000);

    it('refuses a second instance, and the first one does not notice', async () => {
      const program = await start(home);
      const refused = await startRefused(home);
      expect(refused.code).toBe(1);
      expect(refused.output.trim()).toBe(
        `Another Colophon (process ${program.pid}) is using ${home}. ` +
          'Stop it first, or set COLOPHON_HOME to another folder.',
      );
      expect(await projects(program)).toEqual(all);
      expect(serversOf(home)).toHaveLength(1);
    });

    it('ends when its PostgreSQL is killed, says so, and recovers at the next start', async () => {
      const program = await start(home);
      process.kill(serverProcessId(home), 'SIGKILL');
      expect(await program.exited).toBe(1);
      expect(program.output).toContain('The embedded PostgreSQL has ended');
      const next = await start(home);
      expect(serverLog(home)).toContain('not properly shut down');
      expect(await projects(next)).toEqual(all);
    }, 180_000);

    it('starts after a power failure, when the process ids in its files belong to others', async () => {
      const program = await start(home);
      const innocent = sleeper(statSync(join(home, 'postgres', 'data')));
      try {
        await program.kill();
        process.kill(serverProcessId(home), 'SIGKILL');
        await eventually('the server has ended', () => serversOf(home).length === 0 || undefined);
        const pidFile = join(home, 'postgres', 'data', 'postmaster.pid');
        writeFileSync(pidFile, readFileSync(pidFile, 'utf8').replace(/^\d+/, String(innocent.pid)));
        writeFileSync(join(home, 'lock'), `${innocent.pid ?? 0} 1`);
        expect(await projects(await start(home))).toEqual(all);
        expect(innocent.exitCode ?? innocent.signalCode).toBeNull();
      } finally {
        innocent.kill('SIGKILL');
      }
    }, 180_000);
  });

  it('refuses a taken port at once, leaves no PostgreSQL behind and does not lock its home', async () => {
    const home = newFolder();
    const port = await freePort();
    const occupant = createServer().listen(port, '127.0.0.1');
    const refused = await startRefused(home, { PORT: String(port) });
    occupant.close();
    expect(refused.code).toBe(1);
    expect(refused.output).toContain(`Port ${port} is taken by another program.`);
    expect(serversOf(home)).toEqual([]);
    expect(existsSync(join(home, 'lock'))).toBe(false);
  });

  it('recovers from a kill at every stage of its first start', async () => {
    const home = newFolder();
    const stages: [string, () => boolean][] = [
      [
        'initdb is at work',
        () => filesBelow(join(home, 'postgres')).some((name) => name.endsWith('PG_VERSION')),
      ],
      ['PostgreSQL is starting', () => existsSync(join(home, 'postgres', 'data', 'postmaster.pid'))],
      ['roles and tables are made', () => existsSync(join(home, 'keys', 'database.json'))],
      ['keys are made', () => existsSync(join(home, 'keys', 'claim-ca-key.pem'))],
      ['the log key is made', () => filesBelow(join(home, 'keys', 'logs')).length > 0],
    ];
    for (const [stage, reached] of stages) {
      const program = ColophonProcess.spawn({ home });
      started.push(program);
      await eventually(stage, () => reached() || undefined, 60_000);
      await program.kill();
      if (stage === 'initdb is at work') cutPower(home);
    }
    const program = await start(home);
    expect(await projects(program)).toEqual(['First campaign']);
    expect(serversOf(home)).toHaveLength(1);
  }, 240_000);

  it('stopped while it starts, leaves no PostgreSQL behind', async () => {
    const home = newFolder();
    const program = ColophonProcess.spawn({ home });
    started.push(program);
    await eventually('PostgreSQL is starting', () => serversOf(home).length > 0 || undefined);
    expect(await program.signal('SIGINT')).toBe(0);
    expect(serversOf(home)).toEqual([]);
    expect(existsSync(join(home, 'lock'))).toBe(false);
  });

  it('several that start at once after a kill: one wins, the others say so', async () => {
    const home = newFolder();
    writeFileSync(join(home, 'lock'), '2147483646 1');
    const rivals = Array.from({ length: 4 }, () => ColophonProcess.spawn({ home }));
    started.push(...rivals);
    const outcomes = await Promise.all(
      rivals.map((rival) =>
        rival.ready().then(
          () => 'runs',
          () => 'refused',
        ),
      ),
    );
    expect(outcomes.sort()).toEqual(['refused', 'refused', 'refused', 'runs']);
    for (const rival of rivals.filter(({ output }) => !output.includes('is running')))
      expect(rival.output).toContain('Another Colophon');
    expect(serversOf(home)).toHaveLength(1);
  }, 180_000);

  it('uses the server of DATABASE_URL and starts none of its own', async () => {
    const serverHome = newFolder();
    const home = newFolder();
    const server: EmbeddedPostgres = await startEmbeddedPostgres(serverHome);
    try {
      await createDatabaseIfMissing(server.urlOf('postgres'), 'elsewhere');
      const program = await start(home, { environment: { DATABASE_URL: server.urlOf('elsewhere') } });
      expect(await projects(program)).toEqual(['First campaign']);
      expect(existsSync(join(home, 'postgres'))).toBe(false);
      expect(serversOf(home)).toEqual([]);
      expect(await program.signal('SIGINT')).toBe(0);
      expect(serversOf(serverHome)).toHaveLength(1);
    } finally {
      await server.stop();
    }
  });

  it('refuses to begin a second history when the database of its home was lost', async () => {
    const home = newFolder();
    const program = await start(home);
    expect(await program.signal('SIGINT')).toBe(0);
    rmSync(join(home, 'postgres'), { recursive: true });
    const refused = await startRefused(home, {});
    expect(refused.code).toBe(1);
    expect(refused.output).toContain('which this database does not hold. Restore the database');
    expect(serversOf(home)).toEqual([]);
  }, 180_000);

  it('says what is wrong with DATABASE_URL when nobody answers there', async () => {
    const home = newFolder();
    const refused = await startRefused(home, {
      DATABASE_URL: `postgres://nobody:secret@127.0.0.1:${await freePort()}/none`,
    });
    expect(refused.code).toBe(1);
    expect(refused.output).toContain('ECONNREFUSED');
    expect(refused.output).not.toContain('secret');
    expect(existsSync(join(home, 'lock'))).toBe(false);
  });

  // Under an ordinary account every test above is the first of these two; only root can become somebody else.
  if (IS_ROOT) {
    it('as an ordinary user', async () => {
      const home = join(newFolder(), 'home');
      chownSync(dirname(home), NOBODY.uid, NOBODY.gid);
      const prefix = ['setpriv', `--reuid=${NOBODY.uid}`, `--regid=${NOBODY.gid}`, '--clear-groups', '--'];
      const program = await start(home, { prefix });
      expect(statSync(join(home, 'keys')).uid).toBe(NOBODY.uid);
      expect(statSync(home).mode & 0o777).toBe(0o700);
      expect(await projects(program)).toEqual(['First campaign']);
      await program.kill();
      expect(await projects(await start(home, { prefix }))).toEqual(['First campaign']);
    }, 180_000);

    it('as root in a folder that only root may enter', async () => {
      const home = join(newFolder('/root', 0o700), 'home');
      const program = await start(home);
      expect(await projects(program)).toEqual(['First campaign']);
      await program.kill();
      const again = await start(home);
      expect(await projects(again)).toEqual(['First campaign']);
      expect(await again.signal('SIGINT')).toBe(0);
      expect(serversOf(home)).toEqual([]);
    }, 180_000);
  }
});
