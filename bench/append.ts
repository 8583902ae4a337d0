import { randomUUID } from 'node:crypto';
import { type NewEntry } from '../src/audit/application/append-entry.js';
import { parsePublicId } from '../src/shared/ids.js';
import { type Benchmark, type BenchmarkRow, inParallel } from './benchmark.js';

const ENTRIES = 20_000;
const BATCH = 1_000;
const WRITERS = 16;

/**
 * Entries per second through the whole log (outbox, sequencing, tiles, signed checkpoint) against a bare multi-row
 * insert of the same bytes into a table of the same PostgreSQL, in the same run.
 */
export const appendBenchmark: Benchmark = async ({ services, instance }) => {
  const organizationId = parsePublicId('organization', instance.organizationId) ?? '';
  const { organizationTx, appendEntry, sequencer, dataSource } = services;
  const rows: BenchmarkRow[] = [];

  const bytes = await sampleBytes();
  const bareSeconds = await bareInsert();
  const bareRate = ENTRIES / bareSeconds;
  rows.push({
    what: 'bare INSERT ... SELECT unnest, 1,000 rows a statement',
    entriesPerSecond: Math.round(bareRate),
    ratio: 1,
  });

  await measure(
    'one entry in one transaction, 16 writers',
    () =>
      inParallel(ENTRIES / 10, WRITERS, () =>
        organizationTx.run(organizationId, (tx) => appendEntry.append(tx, entry())),
      ),
    ENTRIES / 10,
  );
  await measure(
    `${BATCH} entries in one transaction, 1 writer`,
    () =>
      inParallel(ENTRIES / BATCH, 1, () =>
        organizationTx.run(organizationId, async (tx) => {
          for (let position = 0; position < BATCH; position++) await appendEntry.append(tx, entry());
        }),
      ),
    ENTRIES,
  );
  return {
    rows,
    notes: [`entry size ${bytes.length} bytes; "published" includes tiles and a signed checkpoint on disk`],
  };

  async function measure(what: string, work: () => Promise<number>, count: number): Promise<void> {
    const start = performance.now();
    const acknowledgedSeconds = await work();
    while ((await sequencer.runOnce()) > 0);
    await published();
    const publishedSeconds = (performance.now() - start) / 1000;
    rows.push({
      what,
      entriesPerSecond: Math.round(count / acknowledgedSeconds),
      publishedPerSecond: Math.round(count / publishedSeconds),
      ratio: Math.round((count / publishedSeconds / bareRate) * 1000) / 1000,
    });
  }

  async function published(): Promise<void> {
    for (;;) {
      const [row]: { open: string }[] = await organizationTx.run(organizationId, (tx) =>
        tx.query('SELECT count(*) AS open FROM audit_pending WHERE organization_id = $1', [organizationId]),
      );
      if (row?.open === '0') return;
    }
  }

  function entry(): NewEntry {
    return {
      type: 'asset.released',
      actor: { kind: 'system', id: 'bench' },
      subject: { kind: 'asset', id: `ast_${randomUUID().replaceAll('-', '')}` },
      data: { assetId: `ast_${randomUUID().replaceAll('-', '')}`, sha256: 'a'.repeat(64) },
    };
  }

  async function sampleBytes(): Promise<Buffer> {
    const [row] = await organizationTx.run(organizationId, async (tx) => {
      const id = await appendEntry.append(tx, entry());
      return tx.query<{ entry: Buffer }>('SELECT entry FROM audit_pending WHERE entry_id = $1', [id]);
    });
    return row?.entry ?? Buffer.alloc(0);
  }

  /** Into a temporary-looking but durable table of its own: same server, same fsync, same bytes. */
  async function bareInsert(): Promise<number> {
    const runner = dataSource.createQueryRunner();
    try {
      await runner.connect();
      await runner.query('CREATE TEMP TABLE bare (id uuid PRIMARY KEY, entry bytea NOT NULL)');
      return await inParallel(ENTRIES / BATCH, 1, () =>
        runner.query('INSERT INTO bare SELECT * FROM unnest($1::uuid[], $2::bytea[])', [
          Array.from({ length: BATCH }, () => randomUUID()),
          Array.from({ length: BATCH }, () => bytes),
        ]),
      );
    } finally {
      await runner.release();
    }
  }
};
