import { open, stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type MediaVerification } from '../provenance/domain/media-verifier.port.js';
import { statusWords } from '../provenance/domain/status-words.js';
import { testWorkIn } from '../provenance/domain/test-work.js';
import { BUNDLE_PATHS } from '../reports/domain/bundle-format.js';
import { PERIOD_PATHS } from '../reports/domain/period-format.js';
import { archiveFiles, archiveHolds, type BatchFile, folderFiles, isReadableArchive } from './batch-files.js';
import { EXIT, Unusable } from './exit-code.js';
import { givenLogKey } from './log-key.js';
import { printable, printableJson } from './printable.js';
import { keptTrustLists, namesTrustedBy, ownTrustList, readTrustList } from './trust-list.js';
import { readPolicy } from './read-policy.js';
import { verifyBatch } from './verify-batch.js';
import {
  inSeparateProcess,
  isZip,
  type OpenVerifier,
  type Verdict,
  type VerifiedFile,
  type VerifiedMedia,
  verifyFile,
  verifyMediaFile,
} from './verify-file.js';
import { formatVerification } from './verify-text.js';

const USAGE = `Usage: colophon verify FILE [options]
       colophon verify FOLDER|ARCHIVE.zip [--csv FILE] [--jobs N] [options]

Verifies a media file with a C2PA manifest, an evidence bundle, the export of a period of the log, or a signed report
in PDF; of a folder or archive, every media file in it. Offline: nothing is looked up anywhere.

  --manifest FILE.c2pa
                  for a media file that carries no manifest: the file with the manifest
                  (default where none can be inside: FILE.c2pa beside it)
  --trust CA.pem  certificate authorities whose signers count as known, beside the trust lists of "colophon trust list"
                  (default for media files: the authority of the installation in COLOPHON_HOME, if there is one)
  --identity-trust CA.pem
                  authorities that vouch for names of people and organizations in manifests, beside those lists and
                  those that a bundle brings; the output says which one vouched
  --vkey VKEY     for a bundle, a period or a report: the key of the log as you know it from elsewhere. Without it, or
                  --report-trust, nobody vouches for who made it, and it is never "valid"
  --report-trust CA.pem
                  for a bundle, a period or a report: authorities whose report keys you know
  --older-format  for a bundle of format 1 to 4 or a period of format 1, of which not all is signed: judge it as far as
                  it goes; the output says what is not signed
  --policy FILE   for a bundle or a report: the witnesses that you trust and how many are enough (C2SP tlog-policy)
  --tsa-roots CA.pem
                  for a bundle or a report: roots of the time-stamp authorities that you trust
  --csv FILE      for many files: one line each, for a spreadsheet
  --jobs N        for many files: so many at once (default: one a processor, at most 8)
  --json          print one JSON document

Exit code:
  0 valid     a media file is intact, even if nobody we know signed it (the output says which);
              every check of a bundle, period or report passed, and its report key is proved. A witness policy that is not
              met, and a time-stamp by somebody whom you do not trust, leave it valid: the output says so, and
              --json has "policyMet"
  1 invalid   the file, its manifest or its evidence was changed, or a signature does not hold
  2 unusable  no manifest, no bundle, no report of ours, not readable: nothing can be said
    unproved  nothing in a bundle, period or report is wrong, but who made it is not proved: anybody could have
Of many files: 1 when any is invalid, else 2 when any is unusable. Files of other kinds are skipped.`;

const MAX_DEFAULT_JOBS = 8;
const MAX_JOBS = 64;

const EXIT_OF: Readonly<Record<Verdict, number>> = {
  valid: EXIT.ok,
  invalid: EXIT.wrong,
  unproved: EXIT.unusable,
  unusable: EXIT.unusable,
};

interface Options {
  readonly file: string;
  readonly manifest: string | undefined;
  readonly trust: string | undefined;
  readonly identityTrust: string | undefined;
  readonly vkey: string | undefined;
  readonly policy: string | undefined;
  readonly tsaRoots: string | undefined;
  readonly reportTrust: string | undefined;
  readonly olderFormat: boolean;
  readonly csv: string | undefined;
  readonly jobs: number;
  readonly json: boolean;
  readonly help: boolean;
}

/**
 * `colophon verify FILE`: arguments after `verify`. Prints the result to stdout.
 * @returns the exit code: 0 valid, 1 invalid, 2 unusable or unproved
 */
export async function verify(
  argv: string[],
  environment: NodeJS.ProcessEnv,
  openVerifier?: OpenVerifier,
): Promise<number> {
  let options: Options;
  try {
    options = readOptions(argv);
  } catch (error) {
    console.error(`colophon verify: ${printable(messageOf(error))}\n\n${USAGE}`);
    return EXIT.unusable;
  }
  if (options.help) {
    console.log(USAGE);
    return EXIT.ok;
  }
  return report(options, environment, openVerifier);
}

async function report(
  options: Options,
  environment: NodeJS.ProcessEnv,
  openVerifier: OpenVerifier = inSeparateProcess,
): Promise<number> {
  const { file, json } = options;
  try {
    const trust = await trustedLists(options, environment);
    const files = await manyFiles(resolve(file));
    return files === undefined
      ? await reportOne(options, trust, openVerifier)
      : await reportMany(options, files, trust, openVerifier);
  } catch (error) {
    if (!(error instanceof Unusable)) throw error;
    if (json) console.log(printableJson({ file, kind: null, verdict: 'unusable', headline: error.message }));
    else console.log(`UNUSABLE  ${printable(file)}\n          ${printable(error.message)}`);
    return EXIT.unusable;
  }
}

/** Whose signatures count, and who vouches for names. */
async function trustedLists({ trust, identityTrust }: Options, environment: NodeJS.ProcessEnv) {
  const given = trust === undefined ? undefined : await readTrustList(trust);
  return {
    given,
    trustList: given ?? (await ownTrustList(environment)),
    lists: keptTrustLists(environment),
    identityLists: await namesTrustedBy(identityTrust, environment),
  };
}
type TrustedLists = Awaited<ReturnType<typeof trustedLists>>;

async function reportMany(
  { manifest, jobs, csv, json }: Options,
  files: AsyncIterable<BatchFile>,
  { trustList, lists, identityLists }: TrustedLists,
  openVerifier: OpenVerifier,
): Promise<number> {
  if (manifest !== undefined) throw new Unusable('--manifest is for one media file');
  const verifier = openVerifier(trustList, { lists: [...identityLists, ...lists], jobs });
  try {
    const verifyOne = (path: string): Promise<VerifiedMedia> => verifyMediaFile(path, verifier, trustList);
    return await verifyBatch({ files, verify: verifyOne, jobs, csvPath: csv, json });
  } finally {
    verifier.close?.();
  }
}

async function reportOne(
  options: Options,
  { given, trustList, lists, identityLists }: TrustedLists,
  openVerifier: OpenVerifier,
): Promise<number> {
  const { file, manifest, vkey, policy, tsaRoots, reportTrust, olderFormat, json, csv } = options;
  if (csv !== undefined) throw new Unusable('--csv is for a folder or an archive');
  const result = await verifyFile(resolve(file), {
    manifestPath: manifest === undefined ? undefined : resolve(manifest),
    trustList,
    lists,
    identityLists,
    expectedAuthority: given,
    expectedVkey: vkey === undefined ? undefined : givenLogKey(vkey),
    policy: policy === undefined ? undefined : await readPolicy(policy),
    timeStampRootsPem: tsaRoots === undefined ? undefined : (await readTrustList(tsaRoots)).anchorsPem,
    reportAnchorsPem: reportTrust === undefined ? undefined : (await readTrustList(reportTrust)).anchorsPem,
    acceptOlderFormat: olderFormat,
    openVerifier,
  });
  refuseMisplaced(options, result.kind);
  console.log(json ? printableJson(document(file, result)) : formatVerification(file, result, lists));
  return EXIT_OF[result.verdict];
}

/** An option that says nothing about this kind of file must not look as if it had been heeded. */
function refuseMisplaced(options: Options, kind: VerifiedFile['kind']): void {
  const { manifest, trust, vkey, policy, tsaRoots, reportTrust, olderFormat } = options;
  const forBundles = {
    ...{ '--vkey': vkey, '--policy': policy, '--tsa-roots': tsaRoots, '--report-trust': reportTrust },
    '--older-format': olderFormat || undefined,
  };
  const [misplaced] = Object.entries(forBundles).find(([, value]) => value !== undefined) ?? [];
  if (kind === 'media' && misplaced !== undefined)
    throw new Unusable(`${misplaced} is for evidence bundles; this is a media file, which names no log`);
  if (kind === 'period' && (policy !== undefined || tsaRoots !== undefined))
    throw new Unusable(
      '--policy and --tsa-roots are for evidence bundles; VERIFY.md says how to check those of a period',
    );
  if (kind !== 'media' && manifest !== undefined)
    throw new Unusable('--manifest is for media files; a bundle brings its manifests with it');
  if (kind === 'report' && (trust !== undefined || olderFormat))
    throw new Unusable('--trust and --older-format say nothing about a report in PDF; see --report-trust');
}

/** Status codes are for programs; beside each stands what it means. */
function withMeanings(verification: MediaVerification): object {
  const statuses = verification.statuses.map((status) => ({ ...status, meaning: statusWords(status.code) }));
  return { ...verification, statuses, testWork: testWorkIn(verification.chain) ?? null };
}

/** The files of a folder or of an archive that is no evidence bundle; `undefined` for one file. */
async function manyFiles(path: string): Promise<AsyncIterable<BatchFile> | undefined> {
  const status = await stat(path).catch(() => undefined);
  if (status?.isDirectory()) return folderFiles(path);
  if (!status?.isFile()) return undefined;
  const handle = await open(path, 'r').catch(() => undefined);
  if (handle === undefined) return undefined;
  const { buffer } = await handle.read(Buffer.alloc(4), 0, 4, 0).finally(() => handle.close());
  if (!isZip(buffer)) return undefined;
  for (const index of [BUNDLE_PATHS.index, PERIOD_PATHS.index])
    if (await archiveHolds(path, index)) return undefined;
  // What cannot be opened as an archive is told as a bundle that cannot be read, as ever.
  return (await isReadableArchive(path)) ? archiveFiles(path) : undefined;
}

/** What `--json` prints: nothing that the text does not say. */
function document(file: string, result: VerifiedFile): object {
  const { kind, verdict, headline } = result;
  const common = { file, kind, verdict, headline };
  if (result.kind === 'bundle' || result.kind === 'report') {
    const { subject, statements, findings, notProved, witnessing, timeStamps } = result.verification;
    return { ...common, subject: subject ?? null, statements, findings, notProved, witnessing, timeStamps };
  }
  if (result.kind === 'period') {
    const { subject, statements, findings, notProved } = result.verification;
    return { ...common, subject: subject ?? null, statements, findings, notProved };
  }
  const { trustList, verification, manifestPath } = result;
  return {
    ...common,
    manifestFile: manifestPath ?? null,
    trustList: trustList ? { name: trustList.name, path: trustList.path } : null,
    ...(verification && { media: withMeanings(verification) }),
  };
}

function readOptions(argv: string[]): Options {
  const { values, positionals } = parseArgs({
    args: argv,
    allowPositionals: true,
    options: {
      manifest: { type: 'string' },
      trust: { type: 'string' },
      'identity-trust': { type: 'string' },
      vkey: { type: 'string' },
      policy: { type: 'string' },
      'tsa-roots': { type: 'string' },
      'report-trust': { type: 'string' },
      'older-format': { type: 'boolean', default: false },
      csv: { type: 'string' },
      jobs: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const [file, ...rest] = positionals;
  if (!values.help && (file === undefined || rest.length > 0)) throw new Unusable('name one file');
  const { manifest, trust, vkey, policy, csv, json, help } = values;
  const jobs = jobsOf(values.jobs);
  const tsaRoots = values['tsa-roots'];
  const identityTrust = values['identity-trust'];
  const reportTrust = values['report-trust'];
  const olderFormat = values['older-format'];
  return {
    ...{ file: file ?? '', manifest, trust, identityTrust, vkey, policy, tsaRoots },
    ...{ reportTrust, olderFormat, csv, jobs, json, help },
  };
}

function jobsOf(text: string | undefined): number {
  if (text === undefined) return Math.min(MAX_DEFAULT_JOBS, availableParallelism());
  const jobs = Number(text);
  if (!Number.isInteger(jobs) || jobs < 1 || jobs > MAX_JOBS)
    throw new Unusable(`--jobs is 1 to ${MAX_JOBS}`);
  return jobs;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
