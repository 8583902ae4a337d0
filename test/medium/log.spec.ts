import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { pino } from 'pino';
import { type DataSource } from 'typeorm';
import { FileLogKeys } from '../../src/audit/adapters/file-log-keys.js';
import { FileTileStores } from '../../src/audit/adapters/file-tile-store.js';
import { AppendEntry } from '../../src/audit/application/append-entry.js';
import { LogWriter } from '../../src/audit/application/log-writer.js';
import { CHECKPOINT_PATH, PublishLog } from '../../src/audit/application/publish-log.js';
import { Sequencer } from '../../src/audit/application/sequencer.js';
import { SubjectVault } from '../../src/audit/application/subject-vault.js';
import { type TileStore, type TileStores } from '../../src/audit/application/tile-store.port.js';
import { type LogReport } from '../../src/audit/verify/log-report.js';
import { verifyLog } from '../../src/audit/verify/verify-log.js';
import { createDataSource } from '../../src/database/data-source.js';
import { OrganizationTx, type Tx } from '../../src/database/organization-tx.js';
import { SYSTEM_ACTOR } from '../../src/identity/application/actor.js';
import { CreateOrganization } from '../../src/identity/application/create-organization.js';
import { systemClock } from '../../src/shared/clock.js';
import { newId, publicId } from '../../src/shared/ids.js';
import { eventually } from '../support/eventually.js';
import { Inspector } from '../support/inspector.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const logger = pino({ level: 'silent' });
const appendEntry = new AppendEntry(
  new SubjectVault(randomBytes(32), systemClock),
  systemClock,
  () => undefined,
);

/** A process that works on a log: its own connections, and a store that a test may spoil. */
interface Process {
  readonly pool: pg.Pool;
  readonly sequencer: Sequencer;
  readonly writer: LogWriter;
  readonly publish: PublishLog;
}

let folder: string;
let database: TestDatabase;
let dataSource: DataSource;
let organizationTx: OrganizationTx;
let organizationId: string;
let keys: FileLogKeys;
let stores: FileTileStores;
let pools: pg.Pool[];

async function connect(to: TestDatabase): Promise<void> {
  dataSource = createDataSource({
    url: to.applicationUrl,
    applicationName: 'test',
    poolSize: 8,
    entities: [],
  });
  await dataSource.initialize();
  organizationTx = new OrganizationTx(dataSource);
}

/** Publishes the second time after an hour. */
const SELDOM = {
  pollIntervalMs: 20,
  roundIntervalMs: 1,
  sharedRoundIntervalMs: 1,
  publishIntervalMs: 3_600_000,
  fullRoundIntervalMs: 3_600_000,
};

function startProcess(store: TileStores = stores, to: TestDatabase = database): Process {
  const pool = new pg.Pool({ connectionString: to.sequencerUrl, max: 3, options: '-c search_path=colophon' });
  // Dropping the database at the end of a test breaks idle connections.
  pool.on('error', () => undefined);
  pools.push(pool);
  const publish = new PublishLog(pool, store, keys, systemClock);
  const writer = new LogWriter(pool, systemClock, () => undefined);
  return { pool, writer, publish, sequencer: new Sequencer(pool, writer, publish, logger) };
}

beforeEach(async () => {
  pools = [];
  folder = await mkdtemp(join(tmpdir(), 'colophon-log-'));
  keys = new FileLogKeys(join(folder, 'keys'));
  stores = new FileTileStores(join(folder, 'logs'));
  database = await createTestDatabase();
  await connect(database);
  organizationId = await createOrganization();
});
afterEach(async () => {
  await dataSource.destroy();
  await Promise.all(pools.map((pool) => pool.end()));
  await database.drop();
  await rm(folder, { recursive: true, force: true });
});

async function createOrganization(): Promise<string> {
  const create = new CreateOrganization(organizationTx, keys, appendEntry, systemClock);
  return (await create.create('An organization', 'log.example')).organizationId;
}

function append(tx: Tx, name: string): Promise<string> {
  const subject = { kind: 'project', id: publicId('project', newId()) } as const;
  return appendEntry.append(tx, { type: 'project.created', actor: SYSTEM_ACTOR, subject, data: { name } });
}
const commit = (name: string, organization = organizationId) =>
  organizationTx.run(organization, (tx) => append(tx, name));
async function commitAll(count: number, organization = organizationId): Promise<void> {
  for (let i = 0; i < count; i++) await commit(`entry ${i}`, organization);
}

async function fsck(organization = organizationId): Promise<LogReport> {
  const { origin, verifier } = await keys.ofLog(organization);
  return verifyLog(stores.ofLog(organization), { origin, log: verifier });
}

/** Indices of the log as the database has them, and what each entry says. */
async function entries(): Promise<{ index: number; name: string | undefined }[]> {
  const rows = await organizationTx.run(organizationId, (tx) =>
    tx.query<{ index: string; entry: Buffer }>('SELECT index, entry FROM audit_entry ORDER BY index'),
  );
  return rows.map(({ index, entry }) => ({
    index: Number(index),
    name: (JSON.parse(entry.toString('utf8')) as { data: { name?: string } }).data.name,
  }));
}

/** The same store, but what is written passes by `onWrite`, which may wait or throw. */
function spoiled(onWrite: (path: string) => Promise<void> | void): TileStores {
  return {
    ofLog(id): TileStore {
      const store = stores.ofLog(id);
      return {
        read: (path) => store.read(path),
        async write(path, bytes) {
          await onWrite(path);
          await store.write(path, bytes);
        },
        async writeAll(files) {
          for (const { path } of files) await onWrite(path);
          await store.writeAll(files);
        },
        partialWidths: (path) => store.partialWidths(path),
        removePartials: (path) => store.removePartials(path),
      };
    },
  };
}

describe('a person who is erased', () => {
  it('is gone at once, although a process knows for a moment what their key unwraps to', async () => {
    const vault = new SubjectVault(randomBytes(32), systemClock);
    const subjectId = newId();
    const sealed = await organizationTx.run(organizationId, (tx) => vault.encrypt(tx, subjectId, 'words'));
    const open = () => organizationTx.run(organizationId, (tx) => vault.decrypt(tx, subjectId, sealed));
    await expect(open()).resolves.toBe('words');
    await organizationTx.run(organizationId, (tx) =>
      tx.query('SELECT erase_data_subject($1, $2, $3)', [organizationId, subjectId, newId()]),
    );
    await expect(open()).resolves.toBeUndefined();
  });
});

describe('sequencing', () => {
  it('leaves one dense log when two sequencers race with ten writers', async () => {
    const [a, b] = [startProcess(), startProcess()];
    let writing = true;
    const sequence = async ({ sequencer }: Process) => {
      while (writing) await sequencer.runOnce();
    };
    const racing = [sequence(a), sequence(b)];
    await Promise.all(Array.from({ length: 10 }, () => commitAll(30)));
    writing = false;
    await Promise.all(racing);
    await Promise.all([a.sequencer.runOnce(), b.sequencer.runOnce()]);
    const log = await entries();
    expect(log.map(({ index }) => index)).toEqual(Array.from({ length: 301 }, (_, i) => i));
    expect(await fsck()).toMatchObject({ ok: true, findings: [], size: 301, entriesRead: 301 });
  });

  it('orders entries by commit, not by when they were written', async () => {
    const { sequencer } = startProcess();
    await sequencer.runOnce();
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    let written: () => void = () => undefined;
    const early = new Promise<void>((resolve) => (written = resolve));
    const slow = organizationTx.run(organizationId, async (tx) => {
      await append(tx, 'written first, committed last');
      written();
      await gate;
    });
    await early;
    await commit('written last, committed first');
    expect(await sequencer.runOnce()).toBe(1);
    release();
    await slow;
    expect(await sequencer.runOnce()).toBe(1);
    expect((await entries()).map(({ name }) => name)).toEqual([
      undefined,
      'written last, committed first',
      'written first, committed last',
    ]);
    expect(await fsck()).toMatchObject({ ok: true, size: 3 });
  });

  it('holds nothing of a transaction that was rolled back', async () => {
    const { sequencer } = startProcess();
    const failing = organizationTx.run(organizationId, async (tx) => {
      await append(tx, 'never happened');
      throw new Error('on purpose');
    });
    await expect(failing).rejects.toThrow('on purpose');
    await sequencer.runOnce();
    expect(await entries()).toEqual([{ index: 0, name: undefined }]);
  });
});

describe('publishing', () => {
  it('shares one publication among entries that nobody waits for, and hurries for who waits', async () => {
    const { pool, writer, publish } = startProcess();
    const sequencer = new Sequencer(pool, writer, publish, logger, SELDOM);
    const integrated = (count: number) => async () => ((await entries()).length === count ? true : undefined);
    sequencer.start();
    try {
      await eventually('the log is published at the start', async () => (await fsck()).ok || undefined);
      await commitAll(2);
      await eventually('the entries have their indices', integrated(3));
      expect(await fsck()).toMatchObject({ ok: true, size: 1 });
      await new Promise<void>((resolve) => sequencer.follow(organizationId, resolve));
      expect(await fsck()).toMatchObject({ ok: true, size: 3 });
    } finally {
      await sequencer.stop();
    }
  });

  it('leaves nothing unpublished when it is stopped', async () => {
    const { pool, writer, publish } = startProcess();
    const sequencer = new Sequencer(pool, writer, publish, logger, SELDOM);
    sequencer.start();
    await eventually('the log is published at the start', async () => (await fsck()).ok || undefined);
    await commitAll(2);
    await sequencer.stop();
    expect(await fsck()).toMatchObject({ ok: true, size: 3 });
  });

  it('never puts an older checkpoint over a newer one, however slow one of two processes is', async () => {
    let open: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (open = resolve));
    let reached: () => void = () => undefined;
    const waiting = new Promise<void>((resolve) => (reached = resolve));
    const slow = startProcess(
      spoiled(async (path) => {
        if (path !== CHECKPOINT_PATH) return;
        reached();
        await gate;
      }),
    );
    const fast = startProcess();
    await slow.writer.integratePending(organizationId);
    const slowly = slow.publish.publish(organizationId);
    await waiting;
    await commitAll(4);
    await fast.writer.integratePending(organizationId);
    let quicklyDone = false;
    const quickly = fast.publish.publish(organizationId).then(() => (quicklyDone = true));
    // The slow one is let go only when the fast one has done what it can: it waits for its turn, or it is through.
    const superuser = await Inspector.open(database);
    await eventually('the second publisher waits for the first', async () => {
      const queued = await superuser.query(
        `SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
      );
      return queued.length > 0 || quicklyDone || undefined;
    });
    await superuser.close();
    open();
    await Promise.all([slowly, quickly]);
    expect(await fsck()).toMatchObject({ ok: true, size: 5 });
  });

  it('signs no log about which the others could not be asked, however often it comes round', async () => {
    const { pool, writer, publish } = startProcess();
    let reachable = false;
    const careful = new Sequencer(pool, writer, publish, logger, undefined, () =>
      reachable ? Promise.resolve() : Promise.reject(new Error('not asked')),
    );
    await commit('an entry');
    for (let round = 0; round < 3; round++) {
      await expect(careful.runOnce()).rejects.toThrow('not asked');
      expect(careful.maySign(organizationId)).toBe(false);
      expect(await stores.ofLog(organizationId).read(CHECKPOINT_PATH)).toBeUndefined();
    }
    reachable = true;
    await careful.runOnce();
    expect(await fsck()).toMatchObject({ ok: true, size: 2 });
  });

  it('makes up for another process that died after the checkpoint was recorded, while nothing new comes', async () => {
    const { pool, writer, publish } = startProcess();
    const options = {
      pollIntervalMs: 500,
      roundIntervalMs: 50,
      sharedRoundIntervalMs: 50,
      publishIntervalMs: 0,
      fullRoundIntervalMs: 0,
    };
    const living = new Sequencer(pool, writer, publish, logger, options);
    await living.runOnce();
    await commit('an entry');
    const dying = startProcess(
      spoiled((path) => {
        if (path === CHECKPOINT_PATH) throw new Error('killed');
      }),
    );
    await expect(dying.sequencer.runOnce()).rejects.toThrow('killed');
    await living.runOnce();
    expect(await fsck()).toMatchObject({ ok: true, size: 2 });
  });

  it('makes up for a store that failed after the checkpoint was recorded, without waiting for a new entry', async () => {
    let full = false;
    const { sequencer } = startProcess(
      spoiled((path) => {
        if (full && path === CHECKPOINT_PATH) throw new Error('no space left on device');
      }),
    );
    await sequencer.runOnce();
    full = true;
    await commitAll(3);
    await expect(sequencer.runOnce()).rejects.toThrow('no space left');
    expect(await fsck()).toMatchObject({ size: 1 });
    full = false;
    await sequencer.runOnce();
    expect(await fsck()).toMatchObject({ ok: true, size: 4 });
  });

  it.each([0, 3])(
    'heals after a crash between the recorded and the published checkpoint (%d before)',
    async (before) => {
      if (before > 0) {
        await commitAll(before - 1);
        await startProcess().sequencer.runOnce();
      }
      await commitAll(2);
      const dying = startProcess(
        spoiled((path) => {
          if (path === CHECKPOINT_PATH) throw new Error('killed here');
        }),
      );
      await expect(dying.sequencer.runOnce()).rejects.toThrow('killed here');
      const recorded = await organizationTx.run(organizationId, (tx) =>
        tx.query<{ note: string }>('SELECT note FROM audit_checkpoint ORDER BY size DESC LIMIT 1'),
      );
      await startProcess().sequencer.runOnce();
      const published = await stores.ofLog(organizationId).read(CHECKPOINT_PATH);
      expect(Buffer.from(published ?? []).toString('utf8')).toBe(recorded[0]?.note);
      expect(await fsck()).toMatchObject({ ok: true, findings: [] });
    },
  );

  it.each(['tile/0/000.p/3', 'tile/entries/000.p/3'])(
    'heals after a crash before %s is written',
    async (victim) => {
      await commitAll(2);
      const dying = startProcess(
        spoiled((path) => {
          if (path === victim) throw new Error('killed here');
        }),
      );
      await expect(dying.sequencer.runOnce()).rejects.toThrow('killed here');
      expect(await stores.ofLog(organizationId).read(CHECKPOINT_PATH)).toBeUndefined();
      await startProcess().sequencer.runOnce();
      expect(await fsck()).toMatchObject({ ok: true, size: 3 });
    },
  );

  it.each([0, 1])(
    'of one log goes on when another one is refused, whichever comes first (%d)',
    async (which) => {
      const both = [organizationId, await createOrganization()];
      const [broken, healthy] = which === 0 ? both : both.reverse();
      if (broken === undefined || healthy === undefined) throw new Error('there are two');
      const { sequencer } = startProcess();
      for (const organization of both) await commitAll(1, organization);
      await sequencer.runOnce();
      for (const organization of both) await commitAll(1, organization);
      await sequencer.runOnce();
      await rm(join(folder, 'logs', broken), { recursive: true });
      for (const organization of both) await commitAll(1, organization);
      await expect(sequencer.runOnce()).rejects.toThrow('Refusing to sign');
      expect(await fsck(healthy)).toMatchObject({ ok: true, size: 4 });
      await commitAll(1, healthy);
      await expect(sequencer.runOnce()).rejects.toThrow('Refusing to sign');
      expect(await fsck(healthy)).toMatchObject({ ok: true, size: 5 });
    },
  );
});

describe('a superuser or a restored backup', () => {
  it('cannot make us sign a second history: a rewound database is refused, with words that help', async () => {
    await commitAll(2);
    await startProcess().sequencer.runOnce();
    await dataSource.destroy();
    await Promise.all(pools.map((pool) => pool.end()));
    pools = [];
    const backup = await createTestDatabase(database.name);
    await connect(database);
    await commitAll(3);
    await startProcess().sequencer.runOnce();
    const published = await stores.ofLog(organizationId).read(CHECKPOINT_PATH);

    await dataSource.destroy();
    await connect(backup);
    try {
      const restored = startProcess(stores, backup);
      await expect(restored.sequencer.runOnce()).rejects.toThrow(/Refusing to sign .*restored from a backup/);
      // Not even when the second history has become longer than the published one, or just as long.
      for (const more of [3, 4]) {
        await commitAll(more);
        await expect(restored.sequencer.runOnce()).rejects.toThrow('Refusing to sign');
      }
      expect(await stores.ofLog(organizationId).read(CHECKPOINT_PATH)).toEqual(published);
      expect(await fsck()).toMatchObject({ ok: true, size: 6 });
    } finally {
      await dataSource.destroy();
      await Promise.all(pools.map((pool) => pool.end()));
      pools = [];
      await backup.drop();
      await connect(database);
    }
  });

  it('that brings the old checkpoint back with the old database is found out by the tiles that were left', async () => {
    await commitAll(2);
    await startProcess().sequencer.runOnce();
    const files = stores.ofLog(organizationId);
    const oldCheckpoint = Buffer.from((await files.read(CHECKPOINT_PATH)) ?? []);
    await dataSource.destroy();
    await Promise.all(pools.map((pool) => pool.end()));
    pools = [];
    const backup = await createTestDatabase(database.name);
    await connect(database);
    await commitAll(4);
    await startProcess().sequencer.runOnce();
    const left = Buffer.from((await files.read('tile/0/000.p/7')) ?? []);
    await files.write(CHECKPOINT_PATH, oldCheckpoint);
    await dataSource.destroy();
    await connect(backup);
    try {
      const restored = startProcess(stores, backup);
      await expect(restored.sequencer.runOnce()).rejects.toThrow(
        /Refusing to sign .*entries that the database does not have/,
      );
      // Shorter than what was published, just as long, and longer: as many entries, and others.
      for (const more of [1, 3, 2]) {
        await commitAll(more);
        await expect(restored.sequencer.runOnce()).rejects.toThrow(
          /Refusing to sign .*holds (other )?entries/,
        );
      }
      expect(Buffer.from((await files.read(CHECKPOINT_PATH)) ?? [])).toEqual(oldCheckpoint);
      expect(Buffer.from((await files.read('tile/0/000.p/7')) ?? [])).toEqual(left);
    } finally {
      await dataSource.destroy();
      await Promise.all(pools.map((pool) => pool.end()));
      pools = [];
      await backup.drop();
      await connect(database);
    }
  });

  it('who changes an entry before it is published is found out: the entries do not lead to the head', async () => {
    const process = startProcess();
    await process.sequencer.runOnce();
    await commitAll(2);
    await process.writer.integratePending(organizationId);
    const superuser = await Inspector.open(database);
    await superuser.query('ALTER TABLE audit_entry DISABLE TRIGGER append_only_row');
    await superuser.query(`UPDATE audit_entry SET entry = entry || ' ' WHERE index = 1`);
    await superuser.close();
    await expect(process.sequencer.runOnce()).rejects.toThrow('the entries do not lead to the head');
    expect(await fsck()).toMatchObject({ ok: true, size: 1 });
  });

  it('who removes an entry before it is published is found out too', async () => {
    const process = startProcess();
    await commitAll(2);
    await process.writer.integratePending(organizationId);
    const superuser = await Inspector.open(database);
    await superuser.query('ALTER TABLE audit_entry DISABLE TRIGGER append_only_row');
    await superuser.query(`DELETE FROM audit_entry WHERE index = 2`);
    await superuser.close();
    await expect(process.sequencer.runOnce()).rejects.toThrow('the entries do not lead to the head');
  });

  it('who changes a published file is found by fsck, which names the file', async () => {
    await commitAll(5);
    await startProcess().sequencer.runOnce();
    for (const file of ['tile/entries/000.p/6', 'tile/0/000.p/6']) {
      const path = join(folder, 'logs', organizationId, file);
      const good = await readFile(path);
      const bad = Buffer.from(good);
      bad[40] = (bad[40] ?? 0) ^ 1;
      await writeFile(path, bad);
      const report = await fsck();
      expect(report.ok).toBe(false);
      expect(report.findings.map((finding) => finding.path)).toContain(file);
      await writeFile(path, good);
    }
    expect((await fsck()).ok).toBe(true);
  });
});
