import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type AssetRepository } from '../../assets/adapters/asset.repository.js';
import { type AppendEntry } from '../../audit/application/append-entry.js';
import { type OrganizationTx, type Tx } from '../../database/organization-tx.js';
import { actorOf } from '../../identity/application/actor.js';
import { type Principal } from '../../identity/domain/principal.js';
import { type Clock } from '../../shared/clock.js';
import { ColophonError } from '../../shared/errors.js';
import { newId, parsePublicId, publicId } from '../../shared/ids.js';
import { latestDay } from '../domain/calendar-days.js';
import { CsvReader, type CsvRecord } from '../domain/csv-records.js';
import { type BadLine, OutcomeFile, type OutcomeRow } from '../domain/outcome-rows.js';
import { OutcomeAssets } from './outcome-assets.js';
import { findUseCase } from './use-case.js';

export interface RecordedOutcomes {
  readonly importId: string;
  readonly added: number;
  /** Rows that were there with other figures: the new ones count, the old ones are kept. */
  readonly corrected: number;
  readonly unchanged: number;
  readonly refused: number;
  /** The first of those that were refused. */
  readonly badLines: readonly BadLine[];
}

type Counted = { -readonly [Name in 'added' | 'corrected' | 'unchanged' | 'refused']: number } & {
  readonly badLines: BadLine[];
};

const MAX_ROWS = 200_000;
/** With the one that names the columns. */
const MAX_LINES = MAX_ROWS + 1;
const MAX_BAD_LINES_SHOWN = 100;
const BATCH = 1_000;

/** A row with the line or position that it came from. */
interface Placed {
  readonly line: number;
  readonly row: OutcomeRow;
}

/**
 * Records what became of the variants of a use case. A row that is there already with the same figures changes nothing,
 * so a file may be sent again after anything; all good rows of one file are recorded together or not at all.
 */
export class RecordOutcomes {
  constructor(
    private readonly organizationTx: OrganizationTx,
    private readonly assets: AssetRepository,
    private readonly appendEntry: AppendEntry,
    private readonly clock: Clock,
  ) {}

  async fromRows(
    principal: Principal,
    useCaseId: string,
    rows: readonly OutcomeRow[],
  ): Promise<RecordedOutcomes> {
    const sha256 = createHash('sha256').update(JSON.stringify(rows)).digest('hex');
    return this.organizationTx.run(principal.organizationId, async (tx) => {
      const importing = await this.begin(tx, principal, useCaseId);
      await importing.take(rows.map((row, index) => ({ line: index + 1, row })));
      return this.finish(tx, principal, useCaseId, importing, 'api', sha256);
    });
  }

  /**
   * @param path a file on this machine, of bounded size, read piece by piece
   * @throws ColophonError `invalid_request` for something that is no such file as a whole
   */
  async fromCsv(principal: Principal, useCaseId: string, path: string): Promise<RecordedOutcomes> {
    return this.organizationTx.run(principal.organizationId, async (tx) => {
      const importing = await this.begin(tx, principal, useCaseId);
      const sha256 = await readFile(path, importing);
      return this.finish(tx, principal, useCaseId, importing, 'csv', sha256);
    });
  }

  private async begin(tx: Tx, principal: Principal, useCaseId: string): Promise<Importing> {
    if (principal.mode === 'test')
      throw new ColophonError('wrong_mode', 'Outcomes are live; a test key cannot record them.');
    await findUseCase(tx, useCaseId);
    // Two imports of one use case would give one row the same version.
    await tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`outcomes ${useCaseId}`]);
    const assets = new OutcomeAssets(tx, this.assets);
    return new Importing(tx, assets, useCaseId, latestDay(this.clock.now()));
  }

  private async finish(
    tx: Tx,
    principal: Principal,
    useCaseId: string,
    { importId, counted }: Importing,
    source: 'api' | 'csv',
    sha256: string,
  ): Promise<RecordedOutcomes> {
    const { added, corrected, unchanged, refused, badLines } = counted;
    await this.appendEntry.append(tx, {
      type: 'outcomes.recorded',
      actor: actorOf(principal),
      subject: { kind: 'use_case', id: publicId('useCase', useCaseId) },
      data: {
        importId: publicId('outcomeImport', importId),
        source,
        sha256,
        added,
        corrected,
        unchanged,
        refused,
      },
    });
    return { importId, added, corrected, unchanged, refused, badLines };
  }
}

/** @returns SHA-256 of the file */
async function readFile(path: string, importing: Importing): Promise<string> {
  const hash = createHash('sha256');
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const reader = new CsvReader();
  const file = new OutcomeFile();
  const takeRecords = async (records: readonly CsvRecord[]) => {
    for (const record of records) {
      const row = file.read(record);
      if (row === undefined) importing.countLine();
      else await importing.takeOne(record.line, row);
    }
  };
  try {
    for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
      hash.update(chunk);
      await takeRecords(reader.push(decoder.decode(chunk, { stream: true })));
    }
    await takeRecords(reader.push(decoder.decode()));
    await takeRecords(reader.end());
  } catch (error) {
    // Of the decoder (no UTF-8), or of the header.
    if (error instanceof TypeError)
      throw new ColophonError('invalid_request', `The file: ${headline(error)}`, { cause: error });
    throw error;
  }
  if (!file.hasHeader) throw new ColophonError('invalid_request', 'The file: there is nothing in it.');
  await importing.flush();
  return hash.digest('hex');
}

function headline(error: TypeError): string {
  return 'code' in error ? 'is not in UTF-8' : error.message;
}

/** One import while it runs. */
class Importing {
  readonly importId = newId();
  readonly counted: Counted = { added: 0, corrected: 0, unchanged: 0, refused: 0, badLines: [] };
  private readonly seen = new Set<string>();
  private waiting: Placed[] = [];
  private lines = 0;

  constructor(
    private readonly tx: Tx,
    private readonly assets: OutcomeAssets,
    private readonly useCaseId: string,
    private readonly lastDay: string,
  ) {}

  /** Empty lines count as rows do: a file of nothing else would be read to its end. */
  countLine(): void {
    if (++this.lines > MAX_LINES)
      throw new ColophonError('payload_too_large', `An import has at most ${MAX_ROWS} rows.`);
  }

  async takeOne(line: number, row: OutcomeRow | BadLine): Promise<void> {
    this.countLine();
    if ('problem' in row) return this.refuse(row);
    this.waiting.push({ line, row });
    if (this.waiting.length >= BATCH) await this.flush();
  }

  async take(rows: readonly Placed[]): Promise<void> {
    for (const { line, row } of rows) await this.takeOne(line, row);
    await this.flush();
  }

  async flush(): Promise<void> {
    const placed = this.waiting;
    this.waiting = [];
    const good: OutcomeRow[] = [];
    for (const { line, row } of placed) {
      const problem = await this.problemOf(row);
      if (problem === undefined) good.push(row);
      else this.refuse({ line, problem });
    }
    if (good.length > 0) await this.insert(good);
  }

  private refuse(bad: BadLine): void {
    this.counted.refused++;
    if (this.counted.badLines.length < MAX_BAD_LINES_SHOWN) this.counted.badLines.push(bad);
  }

  private async problemOf({ key, assetId, day }: OutcomeRow): Promise<string | undefined> {
    if (this.seen.has(key)) return 'key: there is an earlier row with it in this import';
    this.seen.add(key);
    if (day > this.lastDay) return 'day: it is yet to come, and nothing has come of it';
    return assetId === undefined ? undefined : this.assets.problemOf(assetId, day);
  }

  private async insert(rows: readonly OutcomeRow[]): Promise<void> {
    const inserted = await this.tx.query<{ version: number }>(
      `WITH given AS (
         SELECT * FROM unnest($4::text[], $5::text[], $6::uuid[], $7::date[], $8::bigint[], $9::bigint[],
                              $10::bigint[], $11::bigint[])
           AS g (row_key, variant, asset_id, day, impressions, clicks, conversions, revenue_micro_usd)),
       latest AS (
         SELECT DISTINCT ON (row_key) * FROM outcome
          WHERE organization_id = $1 AND use_case_id = $2 AND row_key = ANY($4::text[])
          ORDER BY row_key, version DESC)
       INSERT INTO outcome (organization_id, use_case_id, row_key, version, variant, asset_id, day, impressions, clicks,
                            conversions, revenue_micro_usd, import_id)
       SELECT $1, $2, g.row_key, coalesce(l.version, 0) + 1, g.variant, g.asset_id, g.day, g.impressions, g.clicks,
              g.conversions, g.revenue_micro_usd, $3
         FROM given g LEFT JOIN latest l ON l.row_key = g.row_key
        WHERE l.row_key IS NULL
           OR (l.variant, l.asset_id, l.day, l.impressions, l.clicks, l.conversions, l.revenue_micro_usd)
              IS DISTINCT FROM
              (g.variant, g.asset_id, g.day, g.impressions, g.clicks, g.conversions, g.revenue_micro_usd)
       RETURNING version`,
      [
        this.tx.organizationId,
        this.useCaseId,
        this.importId,
        rows.map(({ key }) => key),
        rows.map(({ variant }) => variant),
        rows.map(({ assetId }) => (assetId === undefined ? null : parsePublicId('asset', assetId))),
        rows.map(({ day }) => day),
        rows.map(({ impressions }) => impressions ?? null),
        rows.map(({ clicks }) => clicks ?? null),
        rows.map(({ conversions }) => conversions ?? null),
        rows.map(({ revenueMicroUsd }) => revenueMicroUsd ?? null),
      ],
    );
    const added = inserted.filter(({ version }) => version === 1).length;
    this.counted.added += added;
    this.counted.corrected += inserted.length - added;
    this.counted.unchanged += rows.length - inserted.length;
  }
}
