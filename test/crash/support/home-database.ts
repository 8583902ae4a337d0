import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { eventually } from '../../support/eventually.js';

/** Longer than any test: a paused transaction is ended, never continued. */
const PAUSE_SECONDS = 600;

/** Where to stop a transaction: just before this change is committed. */
export interface PausePoint {
  readonly table: string;
  readonly on: 'INSERT' | 'UPDATE';
  /** SQL condition on NEW. */
  readonly when?: string;
}

export function serverProcessId(home: string): number {
  return Number(postmasterFile(home)[0]);
}

function postmasterFile(home: string): string[] {
  return readFileSync(join(home, 'postgres', 'data', 'postmaster.pid'), 'utf8').split('\n');
}

/**
 * The embedded database behind the program's back, as its superuser. It outlives a killed program until the next
 * start, so the state that a kill has left can be read.
 */
export class HomeDatabase {
  private constructor(private readonly client: pg.Client) {}

  static async open(home: string): Promise<HomeDatabase> {
    const socketDirectory = postmasterFile(home)[4] ?? '';
    const client = new pg.Client({
      host: socketDirectory,
      user: 'colophon_admin',
      password: readFileSync(join(home, 'postgres', 'password'), 'utf8').trim(),
      database: 'colophon',
      // Triggers that stop a program are dropped again from tables of the log, which are guarded.
      options: '-c search_path=colophon -c colophon.break_glass=on',
    });
    // The next start of the program stops this server.
    client.on('error', () => undefined);
    await client.connect();
    return new HomeDatabase(client);
  }

  async query<Row extends object>(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    return (await this.client.query<Row>(sql, [...values])).rows;
  }

  async close(): Promise<void> {
    await this.client.end().catch(() => undefined);
  }

  /** From now on every transaction that makes this change stops before it. Survives a restart of the server. */
  async pauseBefore({ table, on, when }: PausePoint): Promise<void> {
    await this.query(`
      CREATE OR REPLACE FUNCTION public.pause() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN PERFORM pg_sleep(${PAUSE_SECONDS}); RETURN NEW; END $$;
      CREATE OR REPLACE TRIGGER crash_test_pause BEFORE ${on} ON ${table} FOR EACH ROW
        ${when === undefined ? '' : `WHEN (${when})`} EXECUTE FUNCTION public.pause();`);
  }

  /** As if the time until every retry had passed. */
  async makeRetriesDue(): Promise<void> {
    await this.query(`UPDATE step_run SET retry_at = now() WHERE retry_at > now()`);
    await this.query(`UPDATE pgboss.job SET start_after = now() WHERE start_after > now()`);
  }

  /** Resolves when a transaction has arrived there. */
  async paused(): Promise<void> {
    await eventually('a transaction arrives at the pause', async () => {
      const waiting = await this.query(`SELECT pid FROM pg_stat_activity WHERE wait_event = 'PgSleep'`);
      return waiting.length > 0 || undefined;
    });
  }

  /** After a kill: ends what the dead program left waiting, as if it had never come so far. */
  async dropPaused(table: string): Promise<void> {
    await this.query(
      `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
        WHERE datname = 'colophon' AND application_name LIKE 'colophon%'`,
    );
    await this.query(`DROP TRIGGER IF EXISTS crash_test_pause ON ${table}`);
  }

  /** Calls back as soon as a change of this kind has been committed. */
  async afterCommit({ table, on, when }: PausePoint, action: () => void): Promise<void> {
    await this.query(`
      CREATE OR REPLACE FUNCTION public.tell() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN PERFORM pg_notify('crash_test', ''); RETURN NULL; END $$;
      CREATE OR REPLACE TRIGGER crash_test_tell AFTER ${on} ON ${table} FOR EACH ROW
        ${when === undefined ? '' : `WHEN (${when})`} EXECUTE FUNCTION public.tell();`);
    this.client.once('notification', action);
    await this.query('LISTEN crash_test');
  }

  async forgetCommits(table: string): Promise<void> {
    await this.query(`DROP TRIGGER IF EXISTS crash_test_tell ON ${table}`);
  }
}
