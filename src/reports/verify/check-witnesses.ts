import { type OpenedCheckpoint, openCheckpoint } from '../../audit/core/checkpoint.js';
import { type NoteSignature } from '../../audit/core/signed-note.js';
import { TlogError } from '../../audit/core/tlog-error.js';
import {
  keyNameOf,
  parseWitnessPolicy,
  type WitnessPolicy,
  witnessKeyName,
} from '../../audit/core/witness-policy.js';
import { formatUnixTime, isPolicyMet, witnessStatus } from '../../audit/verify/witness-status.js';
import { BUNDLE_PATHS } from '../domain/bundle-format.js';
import { type WitnessOutcome } from './bundle-verification.js';
import { type OpenedLog } from './check-log.js';
import { type BundleContents } from './check-sums.js';
import { type Checklist } from './checklist.js';
import { counted } from '../../shared/counted.js';

/** Unknown signatures that are named; of the others their number is told. */
const MAX_NAMED_STRANGERS = 5;

const SOURCES = {
  bundle: 'the policy that came with the bundle',
  reader: 'the policy you gave',
} as const;

/**
 * The cosignatures of the tree head under the policy of the bundle and under that of the reader. A cosignature by a
 * witness of a policy that does not verify is a fault. Too few of them are none: then it is not proved that everybody
 * was shown this same log, and all else still holds.
 */
export function checkWitnesses(
  contents: BundleContents,
  log: OpenedLog,
  readerPolicy: WitnessPolicy | undefined,
  checklist: Checklist,
): WitnessOutcome[] {
  const bundlePolicy = readPolicy(contents, log, checklist);
  const outcomes = [
    ...(bundlePolicy ? [outcomeUnder(bundlePolicy, 'bundle', log, checklist)] : []),
    ...(readerPolicy ? [outcomeUnder(readerPolicy, 'reader', log, checklist)] : []),
  ];
  nameStrangers(log.opened.unverified, [bundlePolicy, readerPolicy], checklist);
  return outcomes;
}

/** `undefined` for bundles of format 1, which had none, and, with a finding, for what is no policy of this log. */
function readPolicy(
  contents: BundleContents,
  { vkey }: OpenedLog,
  checklist: Checklist,
): WitnessPolicy | undefined {
  const bytes = contents.get(BUNDLE_PATHS.policy)?.bytes;
  if (bytes === undefined) return undefined;
  try {
    const policy = parseWitnessPolicy(bytes);
    const [log, ...others] = policy.logs;
    if (log?.vkey !== vkey || others.length > 0) {
      checklist.fault(
        BUNDLE_PATHS.policy,
        'The policy does not name the log of this bundle, or names others.',
      );
    }
    return policy;
  } catch (error) {
    if (!(error instanceof TlogError)) throw error;
    checklist.fault(BUNDLE_PATHS.policy, `The policy cannot be read: ${error.message}.`);
    return undefined;
  }
}

function outcomeUnder(
  policy: WitnessPolicy,
  source: WitnessOutcome['source'],
  log: OpenedLog,
  checklist: Checklist,
): WitnessOutcome {
  try {
    const trust = { ...log.trust, policy };
    const opened = openCheckpoint(log.bytes, trust);
    const { outcome, text } = witnessStatus(opened, trust);
    const policyMet = isPolicyMet(opened, policy);
    const result = { source, outcome, policyMet, text, witnesses: witnessesOf(policy, opened) };
    report(result, checklist);
    return result;
  } catch (error) {
    if (!(error instanceof TlogError)) throw error;
    const text = `A cosignature does not hold, so none is believed: ${error.message}.`;
    checklist.fault(BUNDLE_PATHS.checkpoint, text);
    checklist.statements.push({ ok: false, text: `The cosignatures do not hold under ${SOURCES[source]}.` });
    return { source, outcome: 'failed', policyMet: false, text, witnesses: [] };
  }
}

function report({ source, outcome, policyMet, witnesses }: WitnessOutcome, checklist: Checklist): void {
  const cosigned = witnesses.filter(({ cosignedAt }) => cosignedAt !== undefined).length;
  const count = `${cosigned} of ${counted(witnesses.length, 'witness', 'witnesses')} cosigned`;
  if (outcome === 'proved') {
    const text = `Enough witnesses have seen this same log: ${count}, and ${SOURCES[source]} is met.`;
    checklist.statements.push({ ok: true, text });
    if (source === 'reader') return;
    checklist.notProved.push(
      'The witness policy came with the bundle: it proves that the holders of its keys saw this log, not who they are. Get the keys of the witnesses from elsewhere and verify again with --policy.',
    );
  } else {
    const why = policyMet ? 'no witness was asked' : `${count}, and ${SOURCES[source]} is not met`;
    checklist.notProved.push(`That everybody was shown this same log is not proved: ${why}.`);
  }
}

function witnessesOf(policy: WitnessPolicy, { cosignatures }: OpenedCheckpoint): WitnessOutcome['witnesses'] {
  const times = new Map(cosignatures.map((one) => [keyNameOf(one), formatUnixTime(one.timestampSeconds)]));
  return policy.witnesses.map((witness) => {
    const key = witnessKeyName(witness);
    return { name: witness.name, key, cosignedAt: times.get(key) };
  });
}

/** The format ignores signatures by unknown keys. People should know that they are there and mean nothing. */
function nameStrangers(
  signatures: readonly NoteSignature[],
  policies: readonly (WitnessPolicy | undefined)[],
  checklist: Checklist,
): void {
  const known = new Set(policies.flatMap((policy) => policy?.witnesses ?? []).map(witnessKeyName));
  const strangers = signatures.map(keyNameOf).filter((key) => !known.has(key));
  if (strangers.length === 0) return;
  const rest = strangers.length - MAX_NAMED_STRANGERS;
  const names = strangers.slice(0, MAX_NAMED_STRANGERS).join(', ');
  const more = rest > 0 ? ` and ${rest} more` : '';
  checklist.notProved.push(
    `Signatures on the tree head by keys that no policy names prove nothing: ${names}${more}.`,
  );
}
