import { parseArgs } from 'node:util';
import { type CheckpointTrust } from '../audit/core/checkpoint.js';
import { isPolicyFor } from '../audit/core/witness-policy.js';
import { type LogReport, type LogSource, type LogStatus } from '../audit/verify/log-report.js';
import { verifyLog } from '../audit/verify/verify-log.js';
import { EntryProgress } from './entry-progress.js';
import { EXIT, Unusable } from './exit-code.js';
import { keyInLog, type LogKey, trustOf } from './log-key.js';
import { openLogSource } from './log-source.js';
import { printable, printableJson } from './printable.js';
import { readPolicy } from './read-policy.js';

export { folderSource } from './log-source.js';

const USAGE = `Usage: colophon log fsck DIR_OR_URL_OR_ZIP [options]

Re-derives a log from its entries and compares every tile and the signed root. In a folder or zip it also names the
files that do not belong to the log.
A folder, a web address (COLOPHON_API_KEY is sent to it), or the zip of GET /v1/audit/archive.

  --vkey VKEY        the log's public key: <name>+<8 hex digits>+<base64>
                     (without it, the file "vkey" of the log is used)
  --origin ORIGIN    the log's origin (default: the name in the key)
  --policy FILE      witnesses and quorum that the checkpoint must meet (C2SP tlog-policy)
  --opaque-entries   do not read the entries as entries of this program
  --json             print the report as JSON

Exit code: 0 clean, 1 something is wrong or the policy is not met, 2 the check could not be made.`;

/**
 * `colophon log fsck DIR_OR_URL_OR_ZIP`: arguments after `fsck`. Prints the report to stdout, progress to stderr.
 * @returns the exit code: 0 clean, 1 findings, 2 unusable
 */
export async function logFsck(argv: string[]): Promise<number> {
  try {
    const options = readOptions(argv);
    if (options.help) {
      console.log(USAGE);
      return EXIT.ok;
    }
    const source = await openLogSource(options.location, process.env.COLOPHON_API_KEY);
    try {
      return await fsck(source, options);
    } finally {
      source.close();
    }
  } catch (error) {
    console.error(`colophon log fsck: ${error instanceof Error ? error.message : String(error)}`);
    return EXIT.unusable;
  }
}

async function fsck(source: LogSource, options: Options): Promise<number> {
  const key = await readKey(source, options.vkey);
  const policy = options.policy === undefined ? undefined : await readPolicy(options.policy);
  const trust = { ...trustOf(key.vkey, options.origin), ...(policy && { policy }) };
  const checked = await check(source, trust, options.opaqueEntries);
  const report = policy === undefined || isPolicyFor(policy, key.vkey) ? checked : unwitnessed(checked);
  if (report.findings.some(({ code }) => code === 'checkpoint_missing')) {
    throw new Unusable(`there is no log at ${options.location}: the file "checkpoint" is missing`);
  }
  console.log(options.json ? formatJson(report, key) : formatText(report, key));
  return report.ok && report.policyMet !== false ? EXIT.ok : EXIT.wrong;
}

const OTHER_LOGS =
  'The policy you gave is for other logs: it does not name the key of this one. So it is not proved that everybody was shown this same log.';

function unwitnessed(report: LogReport): LogReport {
  const status = { subject: 'witnesses', outcome: 'not_proved', text: OTHER_LOGS } as const;
  const others = report.statuses.filter(({ subject }) => subject !== 'witnesses');
  return { ...report, policyMet: false, statuses: [...others, status] };
}

interface Options {
  readonly location: string;
  readonly vkey: string | undefined;
  readonly origin: string | undefined;
  /** Path of a tlog-policy file. */
  readonly policy: string | undefined;
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
      policy: { type: 'string' },
      json: { type: 'boolean', default: false },
      'opaque-entries': { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const [location, ...rest] = positionals;
  if (!values.help && (location === undefined || rest.length > 0)) {
    throw new Unusable(`name one folder, URL or zip file\n\n${USAGE}`);
  }
  return {
    location: location ?? '',
    vkey: values.vkey,
    origin: values.origin,
    policy: values.policy,
    json: values.json,
    opaqueEntries: values['opaque-entries'],
    help: values.help,
  };
}

async function readKey(source: LogSource, given: string | undefined): Promise<LogKey> {
  if (given !== undefined) return { vkey: given.trim(), origin: 'given' };
  const found = await keyInLog(source, 'found_in_log');
  if (found) return found;
  throw new Unusable('give the key of the log with --vkey (there is no file "vkey" beside its checkpoint)');
}

async function check(source: LogSource, trust: CheckpointTrust, opaqueEntries: boolean): Promise<LogReport> {
  const progress = new EntryProgress();
  try {
    return await verifyLog(source, trust, { onProgress: progress.show, opaqueEntries });
  } finally {
    progress.end();
  }
}

const SELF_ONLY =
  'The key was taken from the log itself: this shows that the log agrees with itself, not whose log it is.';

function formatJson(report: LogReport, key: LogKey): string {
  return printableJson({ ...report, vkey: key.vkey, keyOrigin: key.origin });
}

const OUTCOMES: Readonly<Record<LogStatus['outcome'], string>> = {
  proved: 'proved     ',
  failed: 'WRONG      ',
  not_proved: 'not proved ',
};

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
  for (const { outcome, text } of report.statuses)
    lines.push(`${OUTCOMES[outcome]} ${printable(text, 4000)}`);
  lines.push(report.ok ? 'clean: every tile and the signed root follow from the entries' : 'NOT clean');
  if (report.policyMet === false) lines.push('the witness policy is NOT met');
  return lines.join('\n');
}
