import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { pino } from 'pino';
import { FileLogKeys } from '../../src/audit/adapters/file-log-keys.js';
import { FileTileStores } from '../../src/audit/adapters/file-tile-store.js';
import { AppendEntry, type PlainEntry } from '../../src/audit/application/append-entry.js';
import { LogWriter } from '../../src/audit/application/log-writer.js';
import { PublishLog } from '../../src/audit/application/publish-log.js';
import { Sequencer } from '../../src/audit/application/sequencer.js';
import { SubjectVault } from '../../src/audit/application/subject-vault.js';
import { composeDatabase } from '../../src/composition/database.js';
import { readConfiguration } from '../../src/config/configuration.js';
import { createDataSource } from '../../src/database/data-source.js';
import { OrganizationTx } from '../../src/database/organization-tx.js';
import { createSequencerPool } from '../../src/database/sequencer-pool.js';
import { IdempotencyExpiry } from '../../src/http/idempotency-expiry.js';
import { SYSTEM_ACTOR } from '../../src/identity/application/actor.js';
import { CreateOrganization } from '../../src/identity/application/create-organization.js';
import { systemClock } from '../../src/shared/clock.js';
import { newId, publicId } from '../../src/shared/ids.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const logger = pino({ level: 'silent' });

/** Stands before PostgreSQL and swallows the answers to chosen statements: the connection stays open and says nothing. */
class SilentMiddle {
  swallowed = 0;
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    private readonly folder: string,
  ) {}

  /** @param statement of which message to swallow the answer: its text, or the name of a prepared one */
  static async start(url: string, statement: () => string | undefined): Promise<SilentMiddle> {
    const folder = mkdtempSync(join(tmpdir(), 'colophon-silent-'));
    const host = new URL(url.replace('@/', '@localhost/')).searchParams.get('host') ?? '';
    const server = createServer((client) =>
      middle.serve(client, connect(join(host, '.s.PGSQL.5432')), statement),
    );
    const middle = new SilentMiddle(server, folder);
    await new Promise<void>((resolve) => server.listen(join(folder, '.s.PGSQL.5432'), resolve));
    return middle;
  }

  through(url: string): string {
    return url.replace(/host=.*$/, `host=${encodeURIComponent(this.folder)}`);
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
    rmSync(this.folder, { recursive: true, force: true });
  }

  private serve(client: Socket, upstream: Socket, statement: () => string | undefined): void {
    let silent = false;
    for (const socket of [client, upstream]) {
      this.sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => this.sockets.delete(socket));
    }
    client.on('data', (chunk) => {
      const wanted = statement();
      if (wanted !== undefined && chunk.includes(wanted)) {
        silent = true;
        this.swallowed++;
      }
      upstream.write(chunk);
    });
    upstream.on('data', (chunk) => silent || client.write(chunk));
    // Half open: whoever stands in the middle does not tell one side that the other has gone.
    upstream.on('close', () => silent || client.destroy());
    client.on('close', () => upstream.destroy());
  }
}

let database: TestDatabase;
let superuser: pg.Client;
let folder: string;

beforeAll(async () => {
  database = await createTestDatabase();
  superuser = new pg.Client({
    connectionString: database.administratorUrl,
    options: '-c search_path=colophon',
  });
  await superuser.connect();
  folder = mkdtempSync(join(tmpdir(), 'colophon-sessions-'));
});
afterAll(async () => {
  await superuser.end();
  await database.drop();
  rmSync(folder, { recursive: true, force: true });
});

describe('a connection of the sequencer that is half open', () => {
  let statement: string | undefined;
  let middle: SilentMiddle;
  let pool: pg.Pool;
  let writer: LogWriter;
  let sequencer: Sequencer;
  let organizationId: string;
  let commit: () => Promise<unknown>;
  let close: () => Promise<void>;

  beforeAll(async () => {
    middle = await SilentMiddle.start(database.sequencerUrl, () => statement);
    pool = createSequencerPool(middle.through(database.sequencerUrl), () => undefined, 1_500);
    const keys = new FileLogKeys(join(folder, 'keys'));
    const publish = new PublishLog(pool, new FileTileStores(join(folder, 'logs')), keys, systemClock);
    writer = new LogWriter(pool, systemClock, () => undefined);
    sequencer = new Sequencer(pool, writer, publish, logger);
    const dataSource = createDataSource({
      url: database.applicationUrl,
      applicationName: 'test',
      poolSize: 2,
      entities: [],
    });
    await dataSource.initialize();
    const organizationTx = new OrganizationTx(dataSource);
    const vault = new SubjectVault(randomBytes(32), systemClock);
    const append = new AppendEntry(vault, systemClock, () => undefined);
    const create = new CreateOrganization(organizationTx, keys, append, systemClock);
    ({ organizationId } = await create.create('An organization', 'log.example'));
    commit = () => organizationTx.run(organizationId, (tx) => append.append(tx, entry()));
    await sequencer.runOnce();
    close = () => dataSource.destroy();
  });
  afterAll(async () => {
    await pool.end();
    await close();
    await middle.stop();
  });

  function entry(): PlainEntry {
    const id = publicId('project', newId());
    return {
      type: 'project.created',
      actor: SYSTEM_ACTOR,
      subject: { kind: 'project', id },
      data: { name: id },
    };
  }

  async function heads(): Promise<{ size: number; rows: number; signed: number; pending: number }> {
    const { rows } = await superuser.query<{ size: string; rows: string; signed: string; pending: string }>(
      `SELECT size, (SELECT count(*) FROM audit_entry) AS rows, (SELECT max(c.size) FROM audit_checkpoint c) AS signed,
              (SELECT count(*) FROM audit_pending) AS pending
         FROM audit_log WHERE organization_id = $1`,
      [organizationId],
    );
    const [row] = rows;
    return {
      size: Number(row?.size),
      rows: Number(row?.rows),
      signed: Number(row?.signed),
      pending: Number(row?.pending),
    };
  }

  it('acknowledges an entry whose commit nobody answered, because it is there, and goes on', async () => {
    const before = await heads();
    const swallowedBefore = middle.swallowed;
    statement = 'log_writer_swap';
    const written = writer.append(organizationId, entry());
    const stopSwallowing = setInterval(
      () => middle.swallowed > swallowedBefore && (statement = undefined),
      1,
    );
    await expect(written).resolves.toMatchObject({ index: before.size });
    clearInterval(stopSwallowing);
    expect(middle.swallowed).toBe(swallowedBefore + 1);
    await expect(writer.append(organizationId, entry())).resolves.toMatchObject({ index: before.size + 1 });
    expect(await heads()).toMatchObject({ size: before.size + 2, rows: before.rows + 2 });
  });

  it.each([
    'log_writer_move',
    'COMMIT',
    'pg_advisory_lock',
    'INSERT INTO audit_checkpoint',
    'pg_advisory_unlock_all',
  ])('does not stop the log, nor is anything in it twice: no answer to %s', async (text) => {
    await commit();
    const before = await heads();
    const swallowedBefore = middle.swallowed;
    statement = text;
    await expect(sequencer.runOnce()).rejects.toThrow('timeout');
    statement = undefined;
    expect(middle.swallowed).toBeGreaterThan(swallowedBefore);
    await commit();
    await sequencer.runOnce();
    const size = before.size + before.pending + 1;
    expect(await heads()).toEqual({ size, rows: size, signed: size, pending: 0 });
  });
});

describe('a session that may forget a commit', () => {
  it.each([
    ['application', () => database.applicationUrl],
    ['sequencer', () => database.sequencerUrl],
  ] as const)('of the %s is refused at the start, whatever the server says to others', async (who, url) => {
    const role = new URL(url().replace('@/', '@localhost/')).username;
    const forRole = `ALTER ROLE ${role} IN DATABASE ${database.name}`;
    const configuration = readConfiguration({ COLOPHON_HOME: join(folder, 'home'), LOG_LEVEL: 'silent' });
    await superuser.query(`${forRole} SET synchronous_commit = off`);
    try {
      await expect(composeDatabase({ configuration, database, logger })).rejects.toThrow(
        `synchronous_commit=off for the ${who}`,
      );
    } finally {
      await superuser.query(`${forRole} RESET ALL`);
    }
    const composed = await composeDatabase({ configuration, database, logger });
    await composed.dataSource.destroy();
    await composed.sequencerPool.end();
  });
});

describe('idempotency keys', () => {
  let pool: pg.Pool;
  const organizationId = newId();

  beforeAll(async () => {
    pool = createSequencerPool(database.sequencerUrl, () => undefined);
    await superuser.query(
      `INSERT INTO organization (organization_id, name, created_at) VALUES ($1, 'o', now())`,
      [organizationId],
    );
    await superuser.query(
      `INSERT INTO idempotency_key (organization_id, key, request_mac, state, locked_until, created_at)
       SELECT $1, 'key ' || days || ' ' || n, '', state, now(), now() - make_interval(days => days)
         FROM (VALUES (0, 'in_flight'), (29, 'completed'), (31, 'completed'), (31, 'in_flight'), (400, 'completed'))
              AS k(days, state), generate_series(1, 700) AS n
       ON CONFLICT DO NOTHING`,
      [organizationId],
    );
  });
  afterAll(() => pool.end());

  async function keys(): Promise<{ old: number; young: number }> {
    const { rows } = await superuser.query<{ old: string; young: string }>(
      `SELECT count(*) FILTER (WHERE created_at < now() - interval '30 days') AS old,
              count(*) FILTER (WHERE created_at >= now() - interval '30 days') AS young FROM idempotency_key`,
    );
    return { old: Number(rows[0]?.old), young: Number(rows[0]?.young) };
  }

  it('can be deleted by nobody before their time, nor by others than the function', async () => {
    const before = await keys();
    const owner = new pg.Client({
      connectionString: database.administratorUrl,
      options: '-c search_path=colophon -c role=colophon_owner',
    });
    await owner.connect();
    await owner.query('BEGIN');
    await owner.query('DELETE FROM idempotency_key');
    const { rows } = await owner.query<{ old: string }>('SELECT count(*) AS old FROM idempotency_key');
    expect(Number(rows[0]?.old)).toBe(0);
    await owner.query('ROLLBACK');
    await owner.end();
    await expect(pool.query('DELETE FROM idempotency_key')).rejects.toThrow('permission denied');
    await expect(pool.query('SELECT * FROM idempotency_key')).rejects.toThrow('permission denied');
    const application = new pg.Client({
      connectionString: database.applicationUrl,
      options: '-c search_path=colophon',
    });
    await application.connect();
    await expect(application.query('SELECT delete_expired_idempotency_keys(1)')).rejects.toThrow(
      'permission denied',
    );
    await application.end();
    expect(await keys()).toEqual(before);
  });

  it('are deleted when they are older than 30 days, in bounded steps, and no younger one is', async () => {
    const before = await keys();
    expect(before.old).toBe(1_400);
    const { rows } = await pool.query<{ deleted: number }>(
      'SELECT delete_expired_idempotency_keys(1000000) AS deleted',
    );
    expect(rows[0]?.deleted).toBe(1_000);
    await expect(new IdempotencyExpiry(pool, logger).runOnce()).resolves.toBe(400);
    await expect(new IdempotencyExpiry(pool, logger).runOnce()).resolves.toBe(0);
    expect(await keys()).toEqual({ old: 0, young: before.young });
  });
});
