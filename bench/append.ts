import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { type NewEntry, type PlainEntry } from '../src/audit/application/append-entry.js';
import { buildEntry } from '../src/audit/core/entry.js';
import { CreateOrganization } from '../src/identity/application/create-organization.js';
import { systemClock } from '../src/shared/clock.js';
import { newId } from '../src/shared/ids.js';
import { type Benchmark, type BenchmarkRow, percentile } from './benchmark.js';

const WRITERS = [1, 16, 64, 512];
const SECONDS = 6;
const TRANSACTIONS = 1_500;

/**
 * Entries per second and time to acknowledgement, at several numbers of concurrent writers; others may be given, and
 * then nothing else is measured: `-- append 512 512 512`. Beside it, in the same
 * run on the same server, the same callers grouped in the same way into bare `INSERT ... SELECT unnest` statements of
 * the same bytes: the price of the log is the ratio. Rates count what is committed, and for the log also what is
 * published (tiles and a signed checkpoint on disk) when the last writer has stopped.
 */
export const appendBenchmark: Benchmark = async ({ services }, { administratorUrl }) => {
  const { organizationTx, appendEntry, logWriter, sequencer, dataSource, logKeys } = services;
  const rows: BenchmarkRow[] = [];
  const create = new CreateOrganization(organizationTx, logKeys, appendEntry, systemClock);
  const bare = new pg.Pool({ connectionString: administratorUrl, max: 1 });
  // An ordinary table: a temporary one would be written without its journal.
  await bare.query('CREATE TABLE bare (id uuid PRIMARY KEY, entry bytea NOT NULL)');
  const bytes = sampleBytes();

  const given = process.argv.slice(3).map(Number);
  for (const writers of given.length > 0 ? given : WRITERS) {
    const reference = new GroupedInsert(bare, bytes);
    const base = await measure(writers, () => reference.insert());
    const { organizationId } = await create.create(`bench ${writers}`, 'bench.example');
    await sequencer.runOnce();
    const log = await measure(
      writers,
      () => logWriter.append(organizationId, plainEntry()),
      () => published(organizationId),
    );
    rows.push(row(`${writers} writers: bare grouped INSERT`, base), {
      ...row(`${writers} writers: the log`, log),
      ratio: round(log.perSecond / base.perSecond),
      publishedPerSecond: Math.round(log.settledPerSecond),
    });
  }

  if (given.length === 0) await addTransactions();
  await bare.end();
  return { rows, notes: [`entry of ${bytes.length} bytes; ${SECONDS} s for each measurement`] };

  async function addTransactions(): Promise<void> {
    const { organizationId } = await create.create('bench transactions', 'bench.example');
    const alone = await transactions(organizationId, 0);
    for (const entries of [0, 1, 2, 3]) {
      const perSecond = entries === 0 ? alone : await transactions(organizationId, entries);
      rows.push({
        what: `business transactions with ${entries} entries, 16 writers`,
        perSecond: Math.round(perSecond),
        ratio: round(perSecond / alone),
      });
    }
  }

  async function transactions(organization: string, entries: number): Promise<number> {
    const start = performance.now();
    let next = 0;
    await Promise.all(
      Array.from({ length: 16 }, async () => {
        while (next++ < TRANSACTIONS)
          await organizationTx.run(organization, async (tx) => {
            const id = newId();
            await tx.query(
              'INSERT INTO project (organization_id, id, name, created_at) VALUES ($1, $2, $3, now())',
              [organization, id, id],
            );
            await tx.query('SELECT 1 FROM project WHERE organization_id = $1 AND id = $2', [
              organization,
              id,
            ]);
            for (let count = 0; count < entries; count++) await appendEntry.append(tx, newEntry());
          });
      }),
    );
    return (TRANSACTIONS / (performance.now() - start)) * 1000;
  }

  async function published(organization: string): Promise<void> {
    for (;;) {
      await sequencer.runOnce();
      const [head]: { done: boolean }[] = await dataSource.transaction(async (manager) => {
        await manager.query(`SELECT set_config('app.organization_id', $1, true)`, [organization]);
        return manager.query(
          `SELECT EXISTS (SELECT 1 FROM audit_checkpoint c WHERE c.organization_id = l.organization_id AND c.size = l.size) AS done
             FROM audit_log l WHERE organization_id = $1`,
          [organization],
        );
      });
      if (head?.done) return;
    }
  }
};

export interface Measured {
  readonly perSecond: number;
  readonly settledPerSecond: number;
  readonly times: readonly number[];
}

export async function measure(
  writers: number,
  write: () => Promise<unknown>,
  settle: () => Promise<void> = () => Promise.resolve(),
  forMs = SECONDS * 1000,
): Promise<Measured> {
  const times: number[] = [];
  const start = performance.now();
  const end = start + forMs;
  await Promise.all(
    Array.from({ length: writers }, async () => {
      for (let now = performance.now(); now < end; now = performance.now()) {
        await write();
        times.push(performance.now() - now);
      }
    }),
  );
  const seconds = (performance.now() - start) / 1000;
  await settle();
  const settledSeconds = (performance.now() - start) / 1000;
  return {
    perSecond: times.length / seconds,
    settledPerSecond: times.length / settledSeconds,
    times: times.sort((a, b) => a - b),
  };
}

function row(what: string, { perSecond, times }: Measured): BenchmarkRow {
  return {
    what,
    perSecond: Math.round(perSecond),
    p50Ms: percentile(times, 0.5),
    p99Ms: percentile(times, 0.99),
  };
}

const round = (value: number): number => Math.round(value * 1000) / 1000;

/** The same grouping as the log's writer, and nothing else. */
class GroupedInsert {
  private waiting: { resolve: () => void; reject: (error: unknown) => void }[] = [];
  private writing = false;

  constructor(
    private readonly pool: pg.Pool,
    private readonly bytes: Buffer,
  ) {}

  insert(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ resolve, reject });
      if (this.writing) return;
      this.writing = true;
      setImmediate(() => void this.write());
    });
  }

  private async write(): Promise<void> {
    while (this.waiting.length > 0) {
      const round = this.waiting.splice(0, 256);
      await this.pool.query({
        name: 'bare',
        text: 'INSERT INTO bare SELECT * FROM unnest($1::uuid[], $2::bytea[])',
        values: [round.map(() => newId()), round.map(() => this.bytes)],
      });
      round.forEach(({ resolve }) => resolve());
    }
    this.writing = false;
  }
}

export function plainEntry(): PlainEntry {
  const id = `ast_${randomUUID().replaceAll('-', '')}`;
  return {
    type: 'asset.released',
    actor: { kind: 'system', id: 'bench' },
    subject: { kind: 'asset', id },
    data: { assetId: id, sha256: 'a'.repeat(64) },
  };
}
const newEntry = (): NewEntry => plainEntry();

function sampleBytes(): Buffer {
  return buildEntry({ ...plainEntry(), at: new Date().toISOString() }).bytes;
}
