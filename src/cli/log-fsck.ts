import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { CheckpointTrust } from '../audit/core/checkpoint.js';
import { verifierFromVkey } from '../audit/core/cosignature.js';
import { MAX_BUNDLE_BYTES } from '../audit/core/entry-bundle.js';
import { MAX_NOTE_BYTES } from '../audit/core/signed-note.js';
import { FULL_TILE_BYTES, parseTilePath } from '../audit/core/tiles.js';
import { TlogError } from '../audit/core/tlog-error.js';
import { type LogReport, type LogSource } from '../audit/verify/log-report.js';
import { verifyLog } from '../audit/verify/verify-log.js';
import { EXIT, Unusable } from './exit-code.js';
import { printable } from './printable.js';

const USAGE = `Usage: colophon log fsck DIR_OR_URL [options]

Re-derives a log from its entries and compares every tile and the signed root.

  --vkey VKEY        the log's public key: <name>+<8 hex digits>+<base64>
                     (without it, the file "vkey" of the log is used)
  --origin ORIGIN    the log's origin (default: the name in the key)
  --opaque-entries   do not read the entries as entries of this program
  --json             print the report as JSON

Exit code: 0 clean, 1 something is wrong, 2 the check could not be made.`;

/**
 * `colophon log fsck DIR_OR_URL`: arguments after `fsck`. Prints the report to stdout, progress to stderr.
 * @returns the exit code: 0 clean, 1 findings, 2 unusable
 */
export async function logFsck(argv: string[]): Promise<number> {
  try {
    const options = readOptions(argv);
    if (options.help) {
      console.log(USAGE);
      return EXIT.ok;
    }
    const source = await openSource(options.location);
    const key = await readKey(source, options.vkey);
    const report = await check(source, trustOf(key.vkey, options.origin), options.opaqueEntries);
    if (report.findings.some(({ code }) => code === 'checkpoint_missing')) {
      throw new Unusable(`there is no log at ${options.location}: the file "checkpoint" is missing`);
    }
    console.log(options.json ? formatJson(report, key) : formatText(report, key));
    return report.ok ? EXIT.ok : EXIT.wrong;
  } catch (error) {
    console.error(`colophon log fsck: ${error instanceof Error ? error.message : String(error)}`);
    return EXIT.unusable;
  }
}

interface Options {
  readonly location: string;
  readonly vkey: string | undefined;
  readonly origin: string | undefined;
  readonly json: boolean;
  readonly opaqueEntries: boolean;
  readonly help: boolean;
}

function readOptions(argv: string[]): Options {
  const { values, positionals } = parseArgs({
    args: argv,
    allowPositionals: true,
    options: {
      vkey: { type: 'string' },
      origin: { type: 'string' },
      json: { type: 'boolean', default: false },
      'opaque-entries': { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const [location, ...rest] = positionals;
  if (!values.help && (location === undefined || rest.length > 0)) {
    throw new Unusable(`name one folder or URL\n\n${USAGE}`);
  }
  return {
    location: location ?? '',
    vkey: values.vkey,
    origin: values.origin,
    json: values.json,
    opaqueEntries: values['opaque-entries'],
    help: values.help,
  };
}

interface LogKey {
  readonly vkey: string;
  /** A key that comes with the log it verifies proves only that the log agrees with itself. */
  readonly origin: 'given' | 'found_in_log';
}

async function readKey(source: LogSource, given: string | undefined): Promise<LogKey> {
  if (given !== undefined) return { vkey: given.trim(), origin: 'given' };
  const found = await source.read('vkey');
  if (found === undefined) {
    throw new Unusable('give the key of the log with --vkey (there is no file "vkey" beside its checkpoint)');
  }
  return { vkey: Buffer.from(found).toString('utf8').trim(), origin: 'found_in_log' };
}

function trustOf(vkey: string, origin: string | undefined): CheckpointTrust {
  try {
    const log = verifierFromVkey(vkey);
    return { origin: origin ?? log.name, log };
  } catch (error) {
    if (error instanceof TlogError) throw new Unusable(`the key cannot be used: ${error.message}`);
    throw error;
  }
}

/** A report every so many entries: a screen is not a log file. */
const PROGRESS_INTERVAL_MS = 500;

async function check(source: LogSource, trust: CheckpointTrust, opaqueEntries: boolean): Promise<LogReport> {
  let reportedAtMs = Date.now();
  const onProgress = ({ entries, size }: { entries: number; size: number }): void => {
    if (Date.now() - reportedAtMs < PROGRESS_INTERVAL_MS) return;
    reportedAtMs = Date.now();
    const percent = Math.floor((entries / size) * 100);
    const line = `${entries} of ${size} entries (${percent} %)`;
    process.stderr.write(process.stderr.isTTY ? `\r${line}` : `${line}\n`);
  };
  const report = await verifyLog(source, trust, { onProgress, opaqueEntries });
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  return report;
}

const SELF_ONLY =
  'The key was taken from the log itself: this shows that the log agrees with itself, not whose log it is.';

function formatJson(report: LogReport, key: LogKey): string {
  return JSON.stringify({ ...report, vkey: key.vkey, keyOrigin: key.origin }, null, 2);
}

function formatText(report: LogReport, key: LogKey): string {
  const lines = [`log      ${printable(report.origin)}`];
  if (report.size !== undefined) lines.push(`size     ${report.size}`, `root     ${report.rootHash}`);
  lines.push(`entries  ${report.entriesRead} read`);
  for (const [type, count] of Object.entries(report.unknownEntryTypes)) {
    lines.push(`note     ${count} entries of type ${printable(type)} are not fully known to this version`);
  }
  if (key.origin === 'found_in_log') lines.push(`note     ${SELF_ONLY}`);
  for (const { code, path, detail } of report.findings) {
    lines.push(`WRONG    ${path}: ${printable(detail)} (${code})`);
  }
  if (report.stoppedEarly) lines.push(`WRONG    and more: the check stopped after so many findings`);
  lines.push(report.ok ? 'clean: every tile and the signed root follow from the entries' : 'NOT clean');
  return lines.join('\n');
}

async function openSource(location: string): Promise<LogSource> {
  if (/^https?:\/\//i.test(location)) return urlSource(location);
  const found = await stat(location).catch(() => undefined);
  if (!found?.isDirectory()) throw new Unusable(`${location} is neither a folder nor an http(s) address`);
  return folderSource(location);
}

/** The largest honest file of this name. */
function maxBytes(path: string): number {
  const tile = parseTilePath(path);
  if (tile === undefined) return MAX_NOTE_BYTES;
  return tile.level === 'entries' ? MAX_BUNDLE_BYTES : FULL_TILE_BYTES;
}

/** The files of a log as they lie in a folder. */
export function folderSource(folder: string): LogSource {
  return {
    async read(path) {
      const file = join(folder, path);
      try {
        const { size } = await stat(file);
        // One byte too many is enough for the verifier to call the file malformed.
        return size > maxBytes(path) ? new Uint8Array(maxBytes(path) + 1) : await readFile(file);
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
    },
  };
}

function isMissing(error: unknown): boolean {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR';
}

const REQUEST_TIMEOUT_MS = 30_000;

function urlSource(base: string): LogSource {
  const prefix = base.endsWith('/') ? base : `${base}/`;
  // Entry bundles of a Colophon server are for its own organization; other logs need no key.
  const key = process.env.COLOPHON_API_KEY;
  const headers: Record<string, string> = key === undefined ? {} : { authorization: `Bearer ${key}` };
  return {
    async read(path) {
      const url = new URL(path, prefix);
      const response = await fetch(url, { headers, signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) });
      if (response.status === 404 || response.status === 410) return undefined;
      if (!response.ok) throw new Unusable(`${url.href} answered with status ${response.status}`);
      return readBody(response, maxBytes(path));
    },
  };
}

/** Reads a body up to one byte beyond the limit, which is enough to call it malformed. */
async function readBody(response: Response, limit: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let total = 0;
  const body = (response.body ?? []) as AsyncIterable<Uint8Array>;
  for await (const chunk of body) {
    chunks.push(chunk);
    total += chunk.length;
    // Leaving the loop cancels the rest of the transfer.
    if (total > limit) break;
  }
  return Buffer.concat(chunks).subarray(0, limit + 1);
}
