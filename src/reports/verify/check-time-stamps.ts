import { TlogError } from '../../audit/core/tlog-error.js';
import { type CheckedTimeStamp, checkTimeStamps } from '../../audit/verify/time-status.js';
import { type TimeStampVerification } from '../../audit/verify/time-stamp-token.js';
import { BUNDLE_PATHS, type BundleIndex } from '../domain/bundle-format.js';
import { type TimeStampOutcome } from './bundle-verification.js';
import { type OpenedLog } from './check-log.js';
import { type BundleContent } from './bundle-reader.js';
import { type BundleContents } from './check-sums.js';
import { type Checklist } from './checklist.js';

type Roots = TimeStampOutcome['roots'];

export interface CheckedTime {
  readonly outcomes: readonly TimeStampOutcome[];
  readonly tokens: readonly BundleContent[];
  /** Those that hold, as evidence for each entry. */
  readonly valid: readonly CheckedTimeStamp[];
}

/**
 * The time-stamps over the tree head, under the roots of the bundle and under those of the reader. One that does not
 * hold is a fault; one by an authority that the reader does not trust proves nothing to that reader, and is none.
 */
export async function checkTime(
  index: BundleIndex,
  contents: BundleContents,
  log: OpenedLog,
  readerRootsPem: string | undefined,
  checklist: Checklist,
): Promise<CheckedTime> {
  const tokens = index.files.flatMap(({ path, role }) => {
    const content = role === 'time_stamp' ? contents.get(path) : undefined;
    return content === undefined ? [] : [content];
  });
  const text = Buffer.from(log.opened.text, 'utf8');
  const stamped = contents.get(BUNDLE_PATHS.stampedText)?.bytes;
  if (tokens.length > 0 && !stamped?.equals(text)) {
    checklist.fault(BUNDLE_PATHS.stampedText, 'This is not the text of log/checkpoint.');
  }
  const bundleRootsPem = contents.get(BUNDLE_PATHS.timeStampRoots)?.bytes?.toString('latin1');
  const runs: { roots: Roots; pem: string | undefined }[] = [];
  if (bundleRootsPem !== undefined) runs.push({ roots: 'bundle', pem: bundleRootsPem });
  if (readerRootsPem !== undefined) runs.push({ roots: 'reader', pem: readerRootsPem });
  if (runs.length === 0) runs.push({ roots: 'none', pem: undefined });
  const checked: { outcome: TimeStampOutcome; stamp: CheckedTimeStamp }[] = [];
  for (const { roots, pem } of runs) {
    const stamps = await checkAll(tokens, text, pem, checklist);
    stamps.forEach((stamp, i) =>
      checked.push({ outcome: outcomeOf(tokens[i]?.path ?? '', roots, stamp), stamp }),
    );
  }
  const outcomes = checked.map(({ outcome }) => outcome);
  report(outcomes, checklist);
  return {
    outcomes,
    tokens,
    valid: checked.flatMap(({ outcome, stamp }) => (outcome.outcome === 'proved' ? stamp : [])),
  };
}

async function checkAll(
  tokens: readonly BundleContent[],
  text: Buffer,
  rootsPem: string | undefined,
  checklist: Checklist,
): Promise<CheckedTimeStamp[]> {
  try {
    const bytes = tokens.map((token) => token.bytes ?? Buffer.alloc(0));
    return await checkTimeStamps(bytes, text, rootsPem === undefined ? undefined : { rootsPem });
  } catch (error) {
    if (!(error instanceof TlogError)) throw error;
    checklist.fault(BUNDLE_PATHS.index, `The time-stamps were not looked at: ${error.message}.`);
    return [];
  }
}

function outcomeOf(path: string, roots: Roots, { verification }: CheckedTimeStamp): TimeStampOutcome {
  const base = { path, roots, authority: undefined, at: undefined };
  if (verification === undefined) {
    const text = 'No authority was given whose time you trust: verify again with --tsa-roots.';
    return { ...base, outcome: 'not_proved', text };
  }
  if (verification.valid) {
    const { authority, genTime, accuracyMs } = verification.stamp;
    const accuracy = accuracyMs === undefined ? '' : ` (give or take ${accuracyMs / 1000} s)`;
    const at = genTime.toISOString();
    const text = `The tree head existed at or before ${at}${accuracy} according to ${authority}.`;
    return { ...base, outcome: 'proved', authority, at, text };
  }
  return { ...base, ...refusal(verification, roots) };
}

/** Roots that came with the tokens must fit them; a reader need not trust every authority. */
function refusal(
  { statuses }: TimeStampVerification,
  roots: Roots,
): Pick<TimeStampOutcome, 'outcome' | 'text'> {
  const faults = statuses.filter(({ outcome }) => outcome === 'failed');
  const texts = faults.map(({ text }) => text).join(' ');
  if (roots === 'reader' && faults.every(({ check }) => check === 'chain')) {
    return { outcome: 'not_proved', text: `It is by nobody whose time you trust. ${texts}` };
  }
  return { outcome: 'failed', text: `The time-stamp does not hold. ${texts}` };
}

function report(outcomes: readonly TimeStampOutcome[], checklist: Checklist): void {
  for (const { path, outcome, text } of outcomes) {
    if (outcome === 'failed') {
      checklist.fault(path, text);
      checklist.statements.push({ ok: false, text: `The time-stamp ${path} does not hold.` });
    } else if (outcome === 'not_proved') checklist.notProved.push(`${path}: ${text}`);
  }
  if (outcomes.some(({ outcome }) => outcome === 'proved')) {
    checklist.notProved.push(
      'Whether the certificate of a time-stamp authority was revoked was not looked up.',
    );
  }
  const proved = outcomes.filter(({ outcome }) => outcome === 'proved');
  for (const { roots, text } of proved) {
    const whose = roots === 'reader' ? 'the roots you gave' : 'roots that came with the bundle';
    checklist.statements.push({ ok: true, text: `${text} Its certificate leads to ${whose}.` });
  }
  if (proved.length > 0 && !proved.some(({ roots }) => roots === 'reader')) {
    checklist.notProved.push(
      'The roots of the time-stamp authority came with the bundle: they prove what the holder of the key said, not who that is. Get them from elsewhere and verify again with --tsa-roots.',
    );
  }
}
