import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { type Entry } from 'yauzl';
import { type OpenedCheckpoint, openCheckpoint } from '../../audit/core/checkpoint.js';
import { CompactRange } from '../../audit/core/compact-range.js';
import { parseEntry } from '../../audit/core/entry.js';
import { MAX_ENTRY_BYTES } from '../../audit/core/entry-bundle.js';
import { leafHash } from '../../audit/core/merkle.js';
import { verifyConsistency } from '../../audit/core/merkle-proof.js';
import { ed25519Verifier, parseVkey } from '../../audit/core/note-key.js';
import { bytesEqual, formatBase64, parseBase64 } from '../../audit/core/strict-encoding.js';
import { TlogError } from '../../audit/core/tlog-error.js';
import { PERIOD_PATHS, type PeriodIndex, periodIndexSchema } from '../domain/period-format.js';
import { PERIOD_TYPE } from '../domain/report-kinds.js';
import { parseCanonicalDocument } from './bounded-json.js';
import { BundleReader, UnusableBundle } from './bundle-reader.js';
import { type BundleVerdict, type BundleVerification } from './bundle-verification.js';
import { checkListedSums } from './check-sums.js';
import { Checklist } from './checklist.js';
import { verifySignedJson } from './signed-json.js';

const MEBIBYTE = 1024 * 1024;
/** Everything but the entries, which are read in a stream. */
const MAX_SMALL_FILE_BYTES = 8 * MEBIBYTE;
/** Leaf hashes that are appended at once. */
const BATCH = 256;

export type PeriodVerification = Pick<BundleVerification, 'statements' | 'findings' | 'notProved'> & {
  readonly verdict: BundleVerdict;
  readonly subject:
    | {
        readonly reportId: string;
        readonly createdAt: string;
        readonly logOrigin: string;
        readonly firstSize: number;
        readonly lastSize: number;
      }
    | undefined;
};

export interface VerifyPeriodOptions {
  /** The log's key as the verifier knows it from elsewhere. */
  readonly expectedVkey?: string | undefined;
}

interface SmallFile {
  readonly bytes: Buffer;
  readonly sha256: string;
}

/** What the entries add up to. */
interface ReadEntries {
  readonly sha256: string;
  readonly range: CompactRange;
  readonly count: number;
}

/**
 * Verifies the export of a period offline, in constant memory: whether the entries between two signed states of the log
 * are all there, unchanged and in order. It collects all findings, and never throws for what a stranger could have
 * written.
 */
export async function runVerifyPeriod(
  path: string,
  options: VerifyPeriodOptions,
): Promise<PeriodVerification> {
  const checklist = new Checklist();
  let index: PeriodIndex | undefined;
  try {
    const reader = await BundleReader.open(path, tmpdir(), checklist);
    try {
      const files = await reader.entries();
      const small = await readSmallFiles(reader, files);
      index = readIndex(small, checklist);
      if (index) await checkAll(reader, files, small, index, options, checklist);
    } finally {
      reader.close();
    }
  } catch (error) {
    if (!(error instanceof UnusableBundle)) throw error;
    checklist.fault(undefined, error.message);
    return answer('unusable', checklist, index);
  }
  return answer(checklist.findings.length === 0 ? 'valid' : 'invalid', checklist, index);
}

async function checkAll(
  reader: BundleReader,
  files: ReadonlyMap<string, Entry>,
  small: ReadonlyMap<string, SmallFile>,
  index: PeriodIndex,
  options: VerifyPeriodOptions,
  checklist: Checklist,
): Promise<void> {
  const { origin, first, last } = index;
  const opened = await checklist.ask(
    first.size === 0
      ? `The key of the log ${origin} signed its state with ${last.size} entries; the export begins with the empty log.`
      : `The key of the log ${origin} signed its states with ${first.size} and with ${last.size} entries.`,
    'The signed states of the log do not hold.',
    () => openStates(small, index, checklist),
  );
  checkKey(index, options, checklist);
  const entries = await checklist.ask(
    `Nothing was left out between them: all ${last.size - first.size} entries are there, unchanged and in order.`,
    'The entries are not exactly those between the two signed states.',
    () => checkEntries(reader, files, index, checklist),
  );
  await checklist.ask(
    'The later state continues the earlier one (consistency proof).',
    'The later state is not proved to continue the earlier one.',
    () => opened && checkConsistency(index, checklist),
  );
  await checklist.ask(
    'The export is signed by a report key whose certificate leads to the authority in it.',
    'The signature of the export does not hold.',
    () => checkSignature(small, index, checklist),
  );
  const listed = 'SHA256SUMS lists these files and no others, each of them one that an export has.';
  await checklist.ask(listed, 'The export is not as it was packed.', () => {
    for (const name of files.keys())
      if (!isExportPath(name)) checklist.fault(name, 'The file was added: an export has none of this name.');
    const hashes = new Map([...small].map(([name, { sha256 }]) => [name, sha256]));
    if (entries) hashes.set(PERIOD_PATHS.entries, entries.sha256);
    checkListedSums(small.get(PERIOD_PATHS.sums)?.bytes, hashes, checklist);
  });
}

function isExportPath(name: string): boolean {
  const known: readonly string[] = Object.values(PERIOD_PATHS);
  return known.includes(name) || /^time-stamps\/[0-9]{1,9}\.tst$/.test(name);
}

async function readSmallFiles(
  reader: BundleReader,
  files: ReadonlyMap<string, Entry>,
): Promise<Map<string, SmallFile>> {
  const small = new Map<string, SmallFile>();
  for (const [name, file] of files) {
    if (name === PERIOD_PATHS.entries) continue;
    if (file.uncompressedSize > MAX_SMALL_FILE_BYTES)
      throw new UnusableBundle('A file of the export is larger than any that an export has.');
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of reader.chunks(file)) chunks.push(Buffer.from(chunk));
    } catch {
      throw new UnusableBundle('A file of the export is damaged.');
    }
    const bytes = Buffer.concat(chunks);
    small.set(name, { bytes, sha256: createHash('sha256').update(bytes).digest('hex') });
  }
  return small;
}

/** @throws UnusableBundle */
function readIndex(small: ReadonlyMap<string, SmallFile>, checklist: Checklist): PeriodIndex | undefined {
  const bytes = small.get(PERIOD_PATHS.index)?.bytes;
  if (bytes === undefined) throw new UnusableBundle('The zip file is not the export of a period.');
  const parsed = periodIndexSchema.safeParse(parseCanonicalDocument(bytes));
  if (parsed.success && parsed.data.first.size <= parsed.data.last.size) return parsed.data;
  checklist.fault(PERIOD_PATHS.index, 'The description of the export was changed, or is of a later format.');
  return undefined;
}

function openStates(
  small: ReadonlyMap<string, SmallFile>,
  { origin, first, last }: PeriodIndex,
  checklist: Checklist,
): boolean {
  const vkey = small.get(PERIOD_PATHS.vkey)?.bytes.toString('latin1').replace(/\n$/, '');
  if (vkey !== last.vkey) checklist.fault(PERIOD_PATHS.vkey, 'The key is not the one in period.json.');
  const state = (
    path: string,
    end: { readonly size: number; readonly rootHash: string; readonly vkey: string | null },
  ): OpenedCheckpoint | undefined => {
    try {
      const log = ed25519Verifier(parseVkey(end.vkey ?? ''));
      if (log.name !== origin) checklist.fault(path, 'The key belongs to a log with another name.');
      const opened = openCheckpoint(small.get(path)?.bytes ?? Buffer.alloc(0), { origin, log });
      const { size, root } = opened.checkpoint;
      if (size !== end.size || formatBase64(root) !== end.rootHash)
        checklist.fault(path, 'The signed state is another one than that in period.json.');
      return opened;
    } catch (error) {
      if (!(error instanceof TlogError)) throw error;
      checklist.fault(path, `The signed state does not hold: ${error.message}.`);
      return undefined;
    }
  };
  const later = state(PERIOD_PATHS.lastCheckpoint, last);
  const earlier = first.size === 0 || state(PERIOD_PATHS.firstCheckpoint, first);
  // The empty log has one root, and no signature that anybody could forge.
  if (first.size === 0 && first.rootHash !== formatBase64(CompactRange.empty().root()))
    checklist.fault(PERIOD_PATHS.index, 'The empty log has another root.');
  return later !== undefined && earlier !== undefined;
}

function checkKey(
  { first, last }: PeriodIndex,
  { expectedVkey }: VerifyPeriodOptions,
  checklist: Checklist,
): void {
  if (first.vkey !== null && first.vkey !== last.vkey)
    checklist.notProved.push(
      'The two states are signed by two keys of the log: the earlier key was replaced in between. An entry log.key_added tells of it.',
    );
  if (expectedVkey === undefined) {
    checklist.notProved.push(
      'The key of the log came with the export. Whether it is the key of the organization is not proved: get it from elsewhere and verify again with it.',
    );
    return;
  }
  const ok = expectedVkey.trim() === last.vkey;
  const text = ok ? 'The key of the log is the one you gave.' : 'The key of the log is not the one you gave.';
  if (!ok) checklist.fault(PERIOD_PATHS.vkey, text);
  checklist.statements.push({ ok, text });
}

async function checkEntries(
  reader: BundleReader,
  files: ReadonlyMap<string, Entry>,
  { first, last }: PeriodIndex,
  checklist: Checklist,
): Promise<ReadEntries | undefined> {
  const file = files.get(PERIOD_PATHS.entries);
  const path = PERIOD_PATHS.entries;
  const before = startOf(first, checklist);
  if (file === undefined || before === undefined) {
    checklist.fault(path, 'There are no entries that could be compared.');
    return undefined;
  }
  const entries = await readEntries(reader, file, before, checklist);
  if (entries === undefined) return undefined;
  const { count, range } = entries;
  const expected = last.size - first.size;
  if (count < expected) checklist.fault(path, `${expected - count} entries are missing.`);
  else if (count > expected) checklist.fault(path, `${count - expected} entries were added.`);
  else if (!bytesEqual(range.root(), parseBase64(last.rootHash, 'the root')))
    checklist.fault(
      path,
      'At least one entry was changed, put in another place, or exchanged for another one.',
    );
  return entries;
}

/** Where the entries begin: the right edge must lead to the signed root of the earlier state. */
function startOf(
  { size, edge, rootHash }: PeriodIndex['first'],
  checklist: Checklist,
): CompactRange | undefined {
  try {
    const range = new CompactRange(
      size,
      edge.map((hash) => parseBase64(hash, 'an edge hash')),
    );
    if (formatBase64(range.root()) === rootHash) return range;
  } catch (error) {
    if (!(error instanceof TlogError)) throw error;
  }
  checklist.fault(PERIOD_PATHS.index, 'The edge of the tree does not lead to the earlier signed state.');
  return undefined;
}

async function readEntries(
  reader: BundleReader,
  file: Entry,
  before: CompactRange,
  checklist: Checklist,
): Promise<ReadEntries | undefined> {
  const hash = createHash('sha256');
  let range = before;
  let leaves: Uint8Array[] = [];
  let count = 0;
  let rest = Buffer.alloc(0);
  const path = PERIOD_PATHS.entries;
  const take = (line: Buffer): void => {
    if (!isEntry(line)) checklist.fault(path, `Line ${count + 1} is not an entry of a log.`);
    leaves.push(leafHash(line));
    count += 1;
    if (leaves.length < BATCH) return;
    range = range.append(leaves);
    leaves = [];
  };
  try {
    for await (const chunk of reader.chunks(file)) {
      hash.update(chunk);
      let data = rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([rest, chunk]);
      for (let end = data.indexOf(0x0a); end >= 0; end = data.indexOf(0x0a)) {
        take(data.subarray(0, end));
        data = data.subarray(end + 1);
      }
      if (data.length > MAX_ENTRY_BYTES) {
        checklist.fault(path, `Line ${count + 1} is longer than any entry.`);
        return undefined;
      }
      rest = data;
    }
  } catch {
    checklist.fault(path, 'The entries cannot be read: the zip file is damaged.');
    return undefined;
  }
  if (rest.length > 0) checklist.fault(path, 'The last line is cut off.');
  return { sha256: hash.digest('hex'), range: range.append(leaves), count };
}

/** Whatever its type: entries of a later version are entries. */
function isEntry(line: Buffer): boolean {
  try {
    parseEntry(line);
    return true;
  } catch (error) {
    if (!(error instanceof TlogError)) throw error;
    return false;
  }
}

function checkConsistency({ first, last, consistencyProof }: PeriodIndex, checklist: Checklist): void {
  try {
    verifyConsistency(
      {
        oldSize: first.size,
        oldRoot: parseBase64(first.rootHash, 'the root'),
        newSize: last.size,
        newRoot: parseBase64(last.rootHash, 'the root'),
      },
      consistencyProof.map((hash) => parseBase64(hash, 'a hash')),
    );
  } catch (error) {
    if (!(error instanceof TlogError)) throw error;
    checklist.fault(PERIOD_PATHS.index, `${error.message}.`);
  }
}

async function checkSignature(
  small: ReadonlyMap<string, SmallFile>,
  { createdAt }: PeriodIndex,
  checklist: Checklist,
): Promise<void> {
  const path = PERIOD_PATHS.signedIndex;
  const signed = await verifySignedJson({
    jws: small.get(path)?.bytes.toString('latin1') ?? '',
    type: PERIOD_TYPE,
    anchorsPem: small.get(PERIOD_PATHS.reportAnchors)?.bytes.toString('latin1') ?? '',
    at: new Date(createdAt),
  });
  if ('fault' in signed) return checklist.fault(path, signed.fault);
  const index = small.get(PERIOD_PATHS.index)?.bytes;
  if (index === undefined || !signed.payload.equals(index))
    checklist.fault(path, 'What is signed is another description than period.json.');
}

const LIMITS = [
  'SHA256SUMS is signed by nobody: whoever changed VERIFY.md, CERTIFICATION.md or log/policy could have changed it as well.',
  'The authority for reports came with the export; compare it with the one that the organization names elsewhere.',
  'Cosignatures of witnesses and time-stamps of the export are not checked by this command: VERIFY.md says how.',
  'A log proves what was recorded and that it has not changed since, not that it is true or that nothing was left out before it was written.',
  'The time in an entry is the clock of whoever runs the log.',
];

function answer(
  verdict: BundleVerdict,
  checklist: Checklist,
  index: PeriodIndex | undefined,
): PeriodVerification {
  return {
    verdict,
    statements: checklist.statements,
    findings: checklist.findings,
    notProved: [...checklist.notProved, ...LIMITS],
    subject: index && {
      reportId: index.reportId,
      createdAt: index.createdAt,
      logOrigin: index.origin,
      firstSize: index.first.size,
      lastSize: index.last.size,
    },
  };
}
