import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../../src/database/embedded-postgres.js';
import { createDatabaseIfMissing, prepareDatabase } from '../../../src/database/prepare-database.js';
import { QUEUES } from '../../../src/database/queues.js';

const TEMPLATE = 'template_colophon';

export interface LogDatabase {
  readonly administratorUrl: string;
  readonly applicationUrl: string;
  readonly sequencerUrl: string;
}

/** A PostgreSQL of this test file's own, which may be killed. */
export class LogServer {
  private databases = 0;

  private constructor(
    readonly home: string,
    private postgres: EmbeddedPostgres,
    private readonly template: LogDatabase,
  ) {}

  static async start(home = mkdtempSync(join(tmpdir(), 'colophon-log-crash-'))): Promise<LogServer> {
    const postgres = await startEmbeddedPostgres(home);
    await createDatabaseIfMissing(postgres.urlOf('postgres'), TEMPLATE);
    const administratorUrl = postgres.urlOf(TEMPLATE);
    const access = await prepareDatabase(administratorUrl, join(home, 'database.json'), QUEUES);
    return new LogServer(home, postgres, { administratorUrl, ...access });
  }

  async createDatabase(): Promise<LogDatabase> {
    const name = `log_${++this.databases}`;
    const client = new pg.Client({ connectionString: this.postgres.urlOf('postgres') });
    await client.connect();
    try {
      await client.query(`CREATE DATABASE ${name} TEMPLATE ${TEMPLATE}`);
    } finally {
      await client.end();
    }
    const named = (url: string): string => url.replace(`/${TEMPLATE}?`, `/${name}?`);
    return {
      administratorUrl: named(this.template.administratorUrl),
      applicationUrl: named(this.template.applicationUrl),
      sequencerUrl: named(this.template.sequencerUrl),
    };
  }

  /** The postmaster and all its children at once, as when the machine loses power but for its disk. */
  async kill(): Promise<void> {
    const file = readFileSync(join(this.home, 'postgres', 'data', 'postmaster.pid'), 'utf8');
    const postmaster = Number(file.split('\n')[0]);
    const died = this.postgres.died;
    const children = execFileSync('ps', ['-o', 'pid=', '--ppid', String(postmaster)], { encoding: 'utf8' });
    for (const pid of [postmaster, ...children.split('\n').filter(Boolean).map(Number)]) killIfThere(pid);
    await died;
  }

  /** Resolves when the server ends although nobody stopped it. */
  died(): Promise<unknown> {
    return this.postgres.died;
  }

  /** Also waits for crash recovery. */
  async restart(): Promise<void> {
    this.postgres = await startEmbeddedPostgres(this.home);
  }

  async stop(): Promise<void> {
    await this.postgres.stop();
    rmSync(this.home, { recursive: true, force: true });
  }
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended with its parent.
  }
}
