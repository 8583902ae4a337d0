import { createWriteStream, type WriteStream } from 'node:fs';
import { once } from 'node:events';
import { stringify } from 'csv-stringify/sync';
import { MEDIA_TYPE_FACTS, signableMediaType } from '../provenance/domain/media-types.js';
import { type BatchFile } from './batch-files.js';
import { EXIT, Unusable } from './exit-code.js';
import { printable, printableJson } from './printable.js';
import { type MediaVerdict, type VerifiedFile } from './verify-file.js';

type VerifiedMedia = Extract<VerifiedFile, { kind: 'media' }>;

/** What is said about one file of many. */
export interface BatchItem {
  readonly file: string;
  /** `skipped`: no file of a kind that can carry a manifest. */
  readonly verdict: MediaVerdict | 'skipped';
  readonly headline: string;
  readonly signer: string | null;
  readonly trustedBy: string | null;
  readonly timeStamp: string | null;
  readonly generativeAi: string | null;
  readonly brokenIngredient: boolean;
  /** Where it broke first: the status code, and what it means. */
  readonly brokenCode: string | null;
  readonly brokenMeaning: string | null;
  readonly sha256: string | null;
}

export interface BatchOptions {
  readonly files: AsyncIterable<BatchFile>;
  readonly verify: (path: string) => Promise<VerifiedMedia>;
  readonly jobs: number;
  /** Where the CSV goes; `undefined`: none. */
  readonly csvPath: string | undefined;
  readonly json: boolean;
}

const PROGRESS_INTERVAL_MS = 250;
/** More than this is for --csv. */
const MAX_JSON_ITEMS = 200_000;

/** Verifies many files, several at once. Prints what is bad at once, a summary at the end. @returns the exit code */
export async function verifyBatch(options: BatchOptions): Promise<number> {
  const table = options.csvPath === undefined ? undefined : new CsvFile(options.csvPath);
  const report = new BatchReport(options.json);
  try {
    await eachInParallel(options.files, options.jobs, async (file) => {
      const item = await verified(file, options.verify);
      report.add(item);
      await table?.write(item);
    });
  } finally {
    report.endProgress();
    await table?.end();
  }
  return report.finish(options.csvPath);
}

async function verified(file: BatchFile, verify: BatchOptions['verify']): Promise<BatchItem> {
  try {
    if (file.path === undefined)
      return bare(file.name, 'unusable', file.refusedBecause ?? 'it cannot be read');
    return itemOf(file.name, await verify(file.path));
  } catch (error) {
    if (!(error instanceof Unusable)) throw error;
    // A file of another kind is no finding; a picture that cannot be read is one.
    const isOther = error.message.startsWith('the file is neither') || error.message.startsWith('a dossier');
    return bare(file.name, isOther ? 'skipped' : 'unusable', error.message);
  } finally {
    await file.discard();
  }
}

function isText(mediaType: string): boolean {
  const type = signableMediaType(mediaType);
  return type !== undefined && MEDIA_TYPE_FACTS[type].kind === 'text';
}

function itemOf(file: string, { verdict, headline, verification }: VerifiedMedia): BatchItem {
  // A text beside the pictures is no finding as long as nobody put a manifest beside it.
  if (verification?.verdict === 'none' && isText(verification.mediaType))
    return bare(file, 'skipped', headline);
  const first = verification?.breaks[0];
  const time = verification?.timeStamp;
  return {
    file,
    verdict,
    headline,
    signer: verification?.signer?.subject ?? null,
    trustedBy: verification?.trustedBy ?? null,
    timeStamp:
      time === undefined ? null : [time.status, time.at].filter((part) => part !== undefined).join(' '),
    generativeAi: verification?.disclosure?.generativeAi ?? null,
    brokenIngredient: verification?.brokenIngredient ?? false,
    brokenCode: first?.code ?? null,
    brokenMeaning: first?.meaning ?? null,
    sha256: verification?.sha256 ?? null,
  };
}

function bare(file: string, verdict: BatchItem['verdict'], headline: string): BatchItem {
  const nothing = { signer: null, trustedBy: null, timeStamp: null, generativeAi: null, sha256: null };
  return {
    file,
    verdict,
    headline,
    ...nothing,
    brokenIngredient: false,
    brokenCode: null,
    brokenMeaning: null,
  };
}

/** As many at once as there are jobs. The first error ends the walk: no file is left out of a report unnoticed. */
async function eachInParallel<Item>(
  items: AsyncIterable<Item>,
  jobs: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const running = new Set<Promise<void>>();
  const failures: unknown[] = [];
  for await (const item of items) {
    const job: Promise<void> = work(item)
      .catch((error: unknown) => void failures.push(error))
      .finally(() => running.delete(job));
    running.add(job);
    if (running.size >= jobs) await Promise.race(running);
    if (failures.length > 0) break;
  }
  await Promise.all(running);
  if (failures.length > 0) throw failures[0];
}

class BatchReport {
  private readonly startedAtMs = Date.now();
  private shownAtMs = 0;
  private readonly counts = { valid: 0, invalid: 0, unusable: 0, skipped: 0 };
  private trusted = 0;
  private brokenIngredients = 0;
  private readonly items: BatchItem[] = [];

  constructor(private readonly json: boolean) {}

  add(item: BatchItem): void {
    this.counts[item.verdict] += 1;
    if (item.verdict === 'valid' && item.trustedBy !== 'no list') this.trusted += 1;
    if (item.brokenIngredient) this.brokenIngredients += 1;
    if (this.json && this.items.length < MAX_JSON_ITEMS) this.items.push(item);
    if (item.verdict === 'invalid' || item.verdict === 'unusable') this.tell(item);
    this.showProgress();
  }

  /** Bad ones are told at once: nobody waits for thousands of files to learn that the first is forged. */
  private tell({ verdict, file, headline, brokenMeaning }: BatchItem): void {
    this.endProgress();
    const why = brokenMeaning === null ? headline : brokenMeaning;
    const line = `${verdict.toUpperCase().padEnd(8)}  ${printable(file)}: ${printable(why)}`;
    if (this.json) console.error(line);
    else console.log(line);
  }

  private get total(): number {
    const { valid, invalid, unusable, skipped } = this.counts;
    return valid + invalid + unusable + skipped;
  }

  private get perSecond(): number {
    return this.total / Math.max(0.001, (Date.now() - this.startedAtMs) / 1000);
  }

  private showProgress(): void {
    if (!process.stderr.isTTY || Date.now() - this.shownAtMs < PROGRESS_INTERVAL_MS) return;
    this.shownAtMs = Date.now();
    const { invalid, unusable } = this.counts;
    process.stderr.write(
      `\r\x1b[K${this.total} files, ${this.perSecond.toFixed(0)} per second, ${invalid} invalid, ${unusable} unusable`,
    );
  }

  endProgress(): void {
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  }

  finish(csvPath: string | undefined): number {
    const { valid, invalid, unusable, skipped } = this.counts;
    const verdict = invalid > 0 ? 'invalid' : unusable > 0 || this.total === skipped ? 'unusable' : 'valid';
    const summary = {
      files: this.total,
      ...this.counts,
      validAndTrusted: this.trusted,
      withBrokenIngredient: this.brokenIngredients,
      seconds: Number(((Date.now() - this.startedAtMs) / 1000).toFixed(3)),
      filesPerSecond: Number(this.perSecond.toFixed(1)),
    };
    if (this.json) console.log(printableJson({ kind: 'batch', verdict, summary, items: this.items }));
    else {
      const lines = [
        `${verdict.toUpperCase().padEnd(8)}  ${this.total} files in ${summary.seconds} s (${summary.filesPerSecond} per second)`,
        `  valid     ${valid}   of which signed by somebody on your lists: ${this.trusted}`,
        `  invalid   ${invalid}`,
        `  unusable  ${unusable}   no manifest, or not readable`,
        `  skipped   ${skipped}   not of a kind that can carry a manifest`,
        ...(this.brokenIngredients > 0
          ? [
              `  ${this.brokenIngredients} were made from something whose manifest is broken: verify them one by one`,
            ]
          : []),
        ...(csvPath === undefined ? [] : [`  every file: ${printable(csvPath)}`]),
      ];
      console.log(lines.join('\n'));
    }
    return { valid: EXIT.ok, invalid: EXIT.wrong, unusable: EXIT.unusable }[verdict];
  }
}

const COLUMNS = [
  'file',
  'verdict',
  'headline',
  'signer',
  'trustedBy',
  'timeStamp',
  'generativeAi',
  'brokenIngredient',
  'brokenCode',
  'brokenMeaning',
  'sha256',
] as const satisfies readonly (keyof BatchItem)[];

/** CSV for spreadsheets (RFC 4180, with a byte order mark, which Excel needs). No cell is a formula. */
class CsvFile {
  private readonly stream: WriteStream;
  private readonly failed: Promise<never>;

  constructor(path: string) {
    this.stream = createWriteStream(path, { flags: 'w', mode: 0o600 });
    this.failed = once(this.stream, 'error').then(([error]) => {
      const { code } = error as NodeJS.ErrnoException;
      throw new Unusable(`the CSV file ${printable(path)} cannot be written (${code ?? 'unknown reason'})`);
    });
    this.failed.catch(() => undefined);
    this.stream.write(`\ufeff${COLUMNS.join(',')}\r\n`);
  }

  async write(item: BatchItem): Promise<void> {
    const record = COLUMNS.map((column) => inert(String(item[column] ?? '')));
    const line = stringify([record], { record_delimiter: '\r\n', quoted_string: true });
    if (!this.stream.write(line)) await Promise.race([once(this.stream, 'drain'), this.failed]);
  }

  async end(): Promise<void> {
    this.stream.end();
    await Promise.race([once(this.stream, 'close'), this.failed]);
  }
}

/** A cell that begins like this is run as a formula by spreadsheets; with an apostrophe before it, it is text. */
function inert(text: string): string {
  const oneLine = text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\ufffd');
  return /^[\s\ufffd]*[=+\-@\uff1d\uff0b\uff0d\uff20]/.test(oneLine) ? `'${oneLine}` : oneLine;
}
