import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import pg from 'pg';
import { type DataSource } from 'typeorm';
import { FileLogKeys } from '../../../src/audit/adapters/file-log-keys.js';
import { FileTileStores } from '../../../src/audit/adapters/file-tile-store.js';
import { AppendEntry } from '../../../src/audit/application/append-entry.js';
import { tileReaderOf } from '../../../src/audit/application/published-tiles.js';
import { SubjectVault } from '../../../src/audit/application/subject-vault.js';
import { type ParsedCheckpoint, openCheckpoint } from '../../../src/audit/core/checkpoint.js';
import { verifyConsistency } from '../../../src/audit/core/merkle-proof.js';
import { consistencyFromTiles } from './consistency.js';
import { verifyLog } from '../../../src/audit/verify/verify-log.js';
import { createDataSource } from '../../../src/database/data-source.js';
import { OrganizationTx } from '../../../src/database/organization-tx.js';
import { SYSTEM_ACTOR } from '../../../src/identity/application/actor.js';
import { CreateOrganization } from '../../../src/identity/application/create-organization.js';
import { systemClock } from '../../../src/shared/clock.js';
import { newId, publicId } from '../../../src/shared/ids.js';
import { type CompiledProgram } from './compiled-program.js';
import { LogProcess } from './log-process.js';
import { type LogDatabase, type LogServer } from './log-server.js';

interface Acknowledged {
  readonly name: string;
  readonly entryId: string;
  readonly index?: number;
}

/** Other addresses under which programs reach the database, e.g. through a proxy. */
type Access = Pick<LogDatabase, 'applicationUrl' | 'sequencerUrl'>;

let benches = 0;

/** One database and one store, programs on them, and a memory of everything that they ever showed to anybody. */
export class LogBench {
  organizationId = '';
  private readonly keys: FileLogKeys;
  private readonly stores: FileTileStores;
  private readonly organizationTx: OrganizationTx;
  private readonly appendEntry: AppendEntry;
  private acknowledged: Acknowledged[] = [];
  private leaves: string[] = [];
  /** Root by size, of every checkpoint that was seen. */
  private seen = new Map<number, string>();
  private largestSeen = 0;
  private readonly processes: LogProcess[] = [];
  private watch: NodeJS.Timeout | undefined;
  private readonly watched: Promise<void>[] = [];
  private readonly shrunk: string[] = [];

  private constructor(
    private readonly program: CompiledProgram,
    readonly database: LogDatabase,
    readonly home: string,
    private readonly dataSource: DataSource,
  ) {
    this.keys = new FileLogKeys(join(home, 'keys', 'logs'));
    this.stores = new FileTileStores(join(home, 'logs'));
    this.organizationTx = new OrganizationTx(dataSource);
    const vault = new SubjectVault(Buffer.alloc(32), systemClock);
    this.appendEntry = new AppendEntry(vault, systemClock, () => undefined);
  }

  static async open(server: LogServer, program: CompiledProgram): Promise<LogBench> {
    const database = await server.createDatabase();
    const home = join(server.home, `home-${++benches}`);
    mkdirSync(join(home, 'keys', 'logs'), { recursive: true, mode: 0o700 });
    const url = database.applicationUrl;
    const dataSource = createDataSource({ url, applicationName: 'test', poolSize: 2, entities: [] });
    await dataSource.initialize();
    const bench = new LogBench(program, database, home, dataSource);
    await bench.beginLog();
    return bench;
  }

  async close(): Promise<void> {
    this.stopWatching();
    await Promise.all(this.processes.map((process) => process.kill()));
    await this.dataSource.destroy();
  }

  /** A new log beside the old one, so that checks of the whole log stay short. */
  async beginLog(process?: LogProcess): Promise<void> {
    const create = new CreateOrganization(this.organizationTx, this.keys, this.appendEntry, systemClock);
    this.organizationId = (await create.create('An organization', 'log.example')).organizationId;
    [this.acknowledged, this.leaves, this.largestSeen] = [[], [], 0];
    this.seen = new Map();
    await process?.tell({ do: 'log', organizationId: this.organizationId });
  }

  get size(): number {
    return this.leaves.length;
  }

  get acknowledgements(): number {
    return this.acknowledged.length;
  }

  start(access: Access = this.database): LogProcess {
    const { applicationUrl, sequencerUrl } = access;
    const { home, organizationId } = this;
    const file = this.program.file;
    const remember = (said: Acknowledged): number => this.acknowledged.push(said);
    const process = new LogProcess(file, { applicationUrl, sequencerUrl, home, organizationId }, remember);
    this.processes.push(process);
    return process;
  }

  /** One business transaction that is acknowledged, by a process that nobody kills. */
  async commit(count: number): Promise<void> {
    const names = Array.from({ length: count }, () => newId());
    const ids = await this.organizationTx.run(this.organizationId, async (tx) => {
      const written: string[] = [];
      for (const name of names) {
        const subject = { kind: 'project', id: publicId('project', newId()) } as const;
        const fact = { type: 'project.created', actor: SYSTEM_ACTOR, subject, data: { name } } as const;
        written.push(await this.appendEntry.append(tx, fact));
      }
      return written;
    });
    ids.forEach((entryId, i) => this.acknowledged.push({ name: names[i] ?? '', entryId }));
  }

  /** Looks at the published checkpoint as an outsider who asks again and again. */
  startWatching(): void {
    this.watch ??= setInterval(() => this.watched.push(this.look()), 5);
  }

  stopWatching(): void {
    clearInterval(this.watch);
    this.watch = undefined;
  }

  private async look(): Promise<void> {
    const organizationId = this.organizationId;
    const before = this.largestSeen;
    const checkpoint = await this.published();
    if (checkpoint === undefined || organizationId !== this.organizationId) return;
    if (checkpoint.size < before) this.shrunk.push(`from ${before} to ${checkpoint.size}`);
    this.remember(checkpoint);
    this.largestSeen = Math.max(this.largestSeen, checkpoint.size);
  }

  private remember({ size, root }: ParsedCheckpoint): void {
    const hex = Buffer.from(root).toString('hex');
    const known = this.seen.get(size) ?? hex;
    if (known !== hex) throw new Error(`two roots of size ${size} were signed`);
    this.seen.set(size, hex);
  }

  private async published(): Promise<ParsedCheckpoint | undefined> {
    // The watch may be in the middle of a look when the next log is begun.
    const organizationId = this.organizationId;
    const bytes = await this.stores.ofLog(organizationId).read('checkpoint');
    return bytes && this.opened(bytes, organizationId);
  }

  private async opened(bytes: Uint8Array, organizationId = this.organizationId): Promise<ParsedCheckpoint> {
    const { origin, verifier } = await this.keys.ofLog(organizationId);
    return openCheckpoint(bytes, { origin, log: verifier }).checkpoint;
  }

  /** Everything that must hold once a program was started again and came to rest. */
  async expectSound(): Promise<void> {
    await Promise.all(this.watched.splice(0));
    expect(this.shrunk).toEqual([]);
    const client = new pg.Client({
      connectionString: this.database.administratorUrl,
      options: '-c search_path=colophon',
    });
    await client.connect();
    try {
      await this.expectEntries(client);
      await this.expectHead(client);
    } finally {
      await client.end();
    }
    await this.expectCheckpoints();
    const { origin, verifier } = await this.keys.ofLog(this.organizationId);
    const report = await verifyLog(this.stores.ofLog(this.organizationId), { origin, log: verifier });
    expect(report).toMatchObject({ ok: true, findings: [], size: this.size, entriesRead: this.size });
  }

  /** Dense, nothing twice, nothing acknowledged missing or elsewhere, and what was there stays as it was. */
  private async expectEntries(client: pg.Client): Promise<void> {
    const { rows } = await client.query<{
      index: string;
      entry_id: string;
      leaf: string;
      name: string | null;
    }>(
      String.raw`SELECT index, entry_id, encode(sha256('\x00'::bytea || entry), 'hex') AS leaf,
                        convert_from(entry, 'UTF8')::json #>> '{data,name}' AS name
                   FROM audit_entry WHERE organization_id = $1 ORDER BY index`,
      [this.organizationId],
    );
    expect(rows.findIndex(({ index }, position) => Number(index) !== position)).toBe(-1);
    expect(new Set(rows.map(({ entry_id }) => entry_id)).size).toBe(rows.length);
    // The name is the fact itself: a retry of ours must not have written it under another id.
    const names = rows.flatMap(({ name }) => (name === null ? [] : [name]));
    expect(new Set(names).size).toBe(names.length);
    const indices = new Map(rows.map(({ entry_id }, index) => [entry_id, index]));
    const lost = this.acknowledged.filter(
      ({ entryId, index, name }) =>
        indices.get(entryId) === undefined ||
        rows[indices.get(entryId) ?? -1]?.name !== name ||
        (index !== undefined && indices.get(entryId) !== index),
    );
    expect(lost).toEqual([]);
    const leaves = rows.map(({ leaf }) => leaf);
    expect(leaves.length).toBeGreaterThanOrEqual(this.leaves.length);
    expect(this.leaves.findIndex((leaf, index) => leaves[index] !== leaf)).toBe(-1);
    this.leaves = leaves;
  }

  private async expectHead(client: pg.Client): Promise<void> {
    const { rows } = await client.query<{ size: string; pending: string }>(
      `SELECT size, (SELECT count(*) FROM audit_pending WHERE organization_id = $1) AS pending
         FROM audit_log WHERE organization_id = $1`,
      [this.organizationId],
    );
    expect(rows).toEqual([{ size: String(this.size), pending: '0' }]);
    const recorded = await client.query<{ size: string; note: string }>(
      'SELECT size, note FROM audit_checkpoint WHERE organization_id = $1',
      [this.organizationId],
    );
    for (const { note } of recorded.rows) this.remember(await this.opened(Buffer.from(note)));
    await this.look();
    expect(this.largestSeen).toBe(this.size);
  }

  /** Every checkpoint that was ever signed or seen is the beginning of the newest: proved from the published tiles. */
  private async expectCheckpoints(): Promise<void> {
    const tiles = tileReaderOf(this.stores.ofLog(this.organizationId));
    const newSize = this.size;
    const newRoot = Buffer.from(this.seen.get(newSize) ?? '', 'hex');
    const prove = consistencyFromTiles(tiles, newSize);
    for (const [oldSize, root] of this.seen) {
      expect(oldSize).toBeLessThanOrEqual(newSize);
      const claim = { oldSize, oldRoot: Buffer.from(root, 'hex'), newSize, newRoot };
      verifyConsistency(claim, await prove(oldSize));
    }
  }

  /** Makes the server need the next segment of its write-ahead log. */
  async switchWriteAheadLog(): Promise<undefined> {
    const client = new pg.Client({ connectionString: this.database.administratorUrl });
    client.on('error', () => undefined);
    try {
      await client.connect();
      await client.query('SELECT pg_switch_wal()');
    } catch {
      // That was the last one.
    }
    await client.end().catch(() => undefined);
  }

  /** Files that are none of the log's, left by writes that were cut off. */
  leftovers(): string[] {
    const folder = join(this.home, 'logs', this.organizationId);
    return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) => /(^|\/)\./.test(path));
  }

  async publishedSize(): Promise<number> {
    return (await this.published())?.size ?? 0;
  }
}
