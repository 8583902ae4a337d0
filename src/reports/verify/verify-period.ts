import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { type Entry } from 'yauzl';
import { type OpenedCheckpoint, openCheckpoint } from '../../audit/core/checkpoint.js';
import { CompactRange } from '../../audit/core/compact-range.js';
import { verifyConsistency } from '../../audit/core/merkle-proof.js';
import { ed25519Verifier, parseVkey } from '../../audit/core/note-key.js';
import { bytesEqual, formatBase64, parseBase64 } from '../../audit/core/strict-encoding.js';
import { TlogError } from '../../audit/core/tlog-error.js';
import {
  PERIOD_PATHS,
  PERIOD_VERSION,
  type PeriodIndex,
  periodIndexSchema,
} from '../domain/period-format.js';
import { PERIOD_TYPE } from '../domain/report-kinds.js';
import { parseCanonicalDocument } from './bounded-json.js';
import { BundleReader, UnusableBundle } from './bundle-reader.js';
import { type BundleVerdict, type BundleVerification } from './bundle-verification.js';
import { checkGrowingContainer } from './check-container.js';
import { checkAround, type ProvedSpan } from './check-period-edges.js';
import { checkReportKey, type ReportKeyEvidence } from './check-report-key.js';
import { checkListedSums } from './check-sums.js';
import { Checklist } from './checklist.js';
import { type ReadEntries, readPeriodEntries } from './period-entries.js';
import { verifySignedJson } from './signed-json.js';
import { counted } from '../../shared/counted.js';

const MEBIBYTE = 1024 * 1024;
/** Everything but the entries, which are read in a stream. */
const MAX_SMALL_FILE_BYTES = 8 * MEBIBYTE;

export type PeriodVerification = Pick<BundleVerification, 'statements' | 'findings' | 'notProved'> & {
  readonly verdict: BundleVerdict;
  readonly subject:
    | {
        readonly reportId: string;
        readonly createdAt: string;
        readonly logOrigin: string;
        readonly firstSize: number;
        readonly lastSize: number;
        readonly asked: PeriodIndex['asked'];
        /** The time of which no entry can be missing; `undefined` where that is not proved. */
        readonly span: ProvedSpan | undefined;
      }
    | undefined;
};

export interface VerifyPeriodOptions {
  /** The log's key as the verifier knows it from elsewhere. */
  readonly expectedVkey?: string | undefined;
  /** PEM of the authorities for reports that the verifier knows. */
  readonly reportAnchorsPem?: string | undefined;
  /** Judge an export of format 1 as far as it goes, although it does not show its edges. */
  readonly acceptOlderFormat?: boolean | undefined;
}

export interface SmallFile {
  readonly bytes: Buffer;
  readonly sha256: string;
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
  let span: ProvedSpan | undefined;
  try {
    const reader = await BundleReader.open(path, tmpdir(), checklist);
    try {
      const files = await reader.entries();
      const small = await readSmallFiles(reader, files);
      index = readIndex(small, checklist);
      if (index) span = await checkAll(reader, files, small, index, options, checklist);
    } finally {
      reader.close();
    }
  } catch (error) {
    if (!(error instanceof UnusableBundle)) throw error;
    checklist.fault(undefined, error.message);
    return answer('unusable', checklist, index, undefined);
  }
  return answer(checklist.verdict, checklist, index, span);
}

function allOf(entries: number): string {
  return entries === 1 ? 'the one entry is' : `all ${counted(entries, 'entry', 'entries')} are`;
}

async function checkAll(
  reader: BundleReader,
  files: ReadonlyMap<string, Entry>,
  small: ReadonlyMap<string, SmallFile>,
  index: PeriodIndex,
  options: VerifyPeriodOptions,
  checklist: Checklist,
): Promise<ProvedSpan | undefined> {
  const { origin, first, last } = index;
  const opened = await checklist.ask(
    first.size === 0
      ? `The key of the log ${origin} signed its state with ${counted(last.size, 'entry', 'entries')}; the export begins with the empty log.`
      : `The key of the log ${origin} signed its states with ${first.size} and with ${counted(last.size, 'entry', 'entries')}.`,
    'The signed states of the log do not hold.',
    () => openStates(small, index, checklist),
  );
  const isKnownLog = checkKey(index, options, checklist);
  const entries = await checklist.ask(
    `Nothing was left out between them: ${allOf(last.size - first.size)} there, unchanged and in order.`,
    'The entries are not exactly those between the two signed states.',
    () => checkEntries(reader, files, index, checklist),
  );
  await checklist.ask(
    'The later state continues the earlier one (consistency proof).',
    'The later state is not proved to continue the earlier one.',
    () => opened && checkConsistency(index, checklist),
  );
  const around = await checkAround(small, index, entries?.lastAt, options, checklist);
  const keys = [...(entries?.keys ?? []), ...around.keys];
  let provedBy: string | undefined;
  await checklist.askIfProved(
    () => `The description of the export is signed by a report key ${provedBy}.`,
    'The signature of the export does not hold.',
    async () => {
      const evidence = { entries: keys, isKnownLog, reportAnchorsPem: options.reportAnchorsPem };
      provedBy = await checkSignature(small, index, evidence, checklist);
      return provedBy !== undefined;
    },
  );
  const listed = 'SHA256SUMS lists these files and no others, each of them one that an export has.';
  await checklist.ask(listed, 'The export is not as it was packed.', () => {
    for (const name of files.keys())
      if (!isExportPath(name)) checklist.fault(name, 'The file was added: an export has none of this name.');
    const hashes = new Map([...small].map(([name, { sha256 }]) => [name, sha256]));
    if (entries) hashes.set(PERIOD_PATHS.entries, entries.sha256);
    checkListedSums(small.get(PERIOD_PATHS.sums)?.bytes, hashes, checklist);
  });
  await checklist.ask(
    'Nothing lies between, before or after the files.',
    'The export was packed again.',
    () => checkGrowingContainer(reader, files, index.createdAt, checklist),
  );
  return around.span;
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

/** @returns whether the log is one that the reader knows: by the key of its newest state, from which all else follows */
function checkKey(index: PeriodIndex, { expectedVkey }: VerifyPeriodOptions, checklist: Checklist): boolean {
  const { first, last } = index;
  const newest = index.v === PERIOD_VERSION ? index.newest.vkey : last.vkey;
  if (first.vkey !== null && first.vkey !== last.vkey)
    checklist.notProved.push(
      'The two states are signed by two keys of the log: the earlier key was replaced in between. An entry log.key_added tells of it.',
    );
  if (expectedVkey === undefined) {
    checklist.notProved.push(
      'The key of the log came with the export. Whether it is the key of the organization is not proved: get it from elsewhere and verify again with it.',
    );
    return false;
  }
  const given = expectedVkey.trim();
  const ok = given === last.vkey || given === newest;
  const text = ok ? 'The key of the log is the one you gave.' : 'The key of the log is not the one you gave.';
  if (!ok) checklist.fault(PERIOD_PATHS.vkey, text);
  checklist.statements.push({ ok, text });
  if (ok && given !== newest)
    checklist.notProved.push(
      'The key you gave signed the end of the period; the newest state in the export is signed by a later key. Verify again with that one.',
    );
  return given === newest;
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
  const entries = await readPeriodEntries(reader, file, before, checklist);
  if (entries === undefined) return undefined;
  const { count, range } = entries;
  const expected = last.size - first.size;
  if (count < expected)
    checklist.fault(path, `${counted(expected - count, 'entry is', 'entries are')} missing.`);
  else if (count > expected)
    checklist.fault(path, `${counted(count - expected, 'entry was', 'entries were')} added.`);
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
  evidence: ReportKeyEvidence,
  checklist: Checklist,
): Promise<string | undefined> {
  const path = PERIOD_PATHS.signedIndex;
  const question = {
    jws: small.get(path)?.bytes.toString('latin1') ?? '',
    type: PERIOD_TYPE,
    anchorsPem: small.get(PERIOD_PATHS.reportAnchors)?.bytes.toString('latin1') ?? '',
    at: new Date(createdAt),
  };
  const signed = await verifySignedJson(question);
  if ('fault' in signed) {
    checklist.fault(path, signed.fault);
    return undefined;
  }
  const index = small.get(PERIOD_PATHS.index)?.bytes;
  if (index === undefined || !signed.payload.equals(index))
    checklist.fault(path, 'What is signed is another description than period.json.');
  return checkReportKey(path, signed, question, evidence, checklist);
}

const LIMITS = [
  'SHA256SUMS is signed by nobody: whoever changed VERIFY.md, CERTIFICATION.md or log/policy could have changed it as well.',
  'Cosignatures of witnesses and time-stamps of the export are not checked by this command: VERIFY.md says how.',
  'A log proves what was recorded and that it has not changed since, not that it is true or that nothing was left out before it was written.',
  'What was recorded after the export was made is not in it.',
  'The time in an entry is the clock of whoever runs the log, by which the entries of a time are chosen.',
];

function answer(
  verdict: BundleVerdict,
  checklist: Checklist,
  index: PeriodIndex | undefined,
  span: ProvedSpan | undefined,
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
      asked: index.asked,
      span,
    },
  };
}
