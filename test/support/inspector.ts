import pg from 'pg';
import { eventually } from './eventually.js';
import { type TestDatabase } from './test-database.js';

/** Tables that grow by themselves, without anybody asking for anything. Entries are counted apart. */
const isHousekeeping = (name: string): boolean =>
  name === 'migration' || (name.startsWith('audit_') && name !== 'audit_opening');

/** What the database holds, as numbers: equal before and after a refused request, or something was half done. */
export type Footprint = Readonly<Record<string, number>>;

/** A superuser's look at a test's own database: behind row-level security, and with its bad powers. */
export class Inspector {
  private constructor(
    private readonly client: pg.Client,
    private readonly tables: readonly string[],
  ) {}

  static async open(database: TestDatabase): Promise<Inspector> {
    const client = new pg.Client({
      connectionString: database.administratorUrl,
      // A superuser who says so gets past the guards of the log's tables: what that does is what tests look at.
      options: '-c search_path=colophon -c colophon.break_glass=on',
    });
    await client.connect();
    const { rows } = await client.query<{ name: string }>(
      `SELECT tablename AS name FROM pg_tables WHERE schemaname = 'colophon' ORDER BY tablename`,
    );
    return new Inspector(
      client,
      rows.map(({ name }) => name).filter((name) => !isHousekeeping(name)),
    );
  }

  async query<Row extends object>(sql: string, parameters: readonly unknown[] = []): Promise<Row[]> {
    return (await this.client.query<Row>(sql, [...parameters])).rows;
  }

  /** Rows of every table, entries of all logs whether they have an index yet or not, and reserved money. */
  async footprint(): Promise<Footprint> {
    const counts = this.tables.map((name) => `(SELECT count(*)::int FROM ${name}) AS ${name}`);
    const [row] = await this.query<Record<string, number>>(
      `SELECT ${counts.join(', ')},
              (SELECT count(*)::int FROM audit_entry) + (SELECT count(*)::int FROM audit_pending) AS log_entries,
              (SELECT coalesce(sum(reserved_micro_usd), 0)::int FROM budget) AS reserved_micro_usd,
              (SELECT coalesce(sum(limit_micro_usd), 0)::float8 FROM budget) AS limit_micro_usd`,
    );
    return row ?? {};
  }

  /** Nothing is on its way any more: what the footprint shows from now on, somebody has asked for. */
  async atRest(): Promise<void> {
    await eventually('every run is at rest', async () => {
      const [row] = await this.query<{ running: number }>(
        `SELECT count(*)::int AS running FROM run WHERE state = 'RUNNING'`,
      );
      return row?.running === 0 || undefined;
    });
  }

  close(): Promise<void> {
    return this.client.end();
  }
}
