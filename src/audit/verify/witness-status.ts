import {
  type CheckpointTrust,
  type OpenedCheckpoint,
  trustedWitnesses,
  type WitnessCosignature,
} from '../core/checkpoint.js';
import { explainPolicy } from '../core/policy-quorum.js';
import { keyNameOf, NO_QUORUM, type WitnessPolicy, witnessKeyName } from '../core/witness-policy.js';
import type { EntryStatus } from './verify-entry.js';

/** What the verified cosignatures of a checkpoint show, in words for people. */

const UNSEEN = 'it is not proved that everybody was shown this same log';
/** A witness refuses whatever does not continue what it cosigned before; nobody but the witness shows that it did. */
const THEIR_WORD = 'That nobody was shown another history rests on the word of those who cosigned.';

/**
 * With a policy: who cosigned and when, who did not, what the policy needs, whether it is met. `proved` when the
 * witnesses are enough. A policy that is unmet is `not_proved` and no fault of the entry: its proof holds, but
 * nobody outside has confirmed that there is only one history.
 */
export function witnessStatus(opened: OpenedCheckpoint, trust: CheckpointTrust): EntryStatus {
  return trust.policy === undefined
    ? statusOfKeys(opened, trustedWitnesses(trust).length)
    : statusUnderPolicy(opened, trust.policy);
}

export function isPolicyMet({ cosignatures }: OpenedCheckpoint, policy: WitnessPolicy): boolean {
  return explainPolicy(policy, policyNames(cosignatures, policy)).satisfied;
}

function statusUnderPolicy({ cosignatures }: OpenedCheckpoint, policy: WitnessPolicy): EntryStatus {
  const { satisfied, text } = explainPolicy(policy, policyNames(cosignatures, policy));
  const seen =
    cosignatures.length === 0 ? '' : ` Seen by ${listed(cosignatures, policy)}, by their own clocks.`;
  // A policy that asks for nobody is always met and shows nothing.
  const isProved = satisfied && (policy.quorum !== NO_QUORUM || cosignatures.length > 0);
  const unseen = isProved ? ` ${THEIR_WORD}` : ` So ${UNSEEN}.`;
  return {
    subject: 'witnesses',
    outcome: isProved ? 'proved' : 'not_proved',
    text: `${text}${seen}${unseen}`,
  };
}

function statusOfKeys({ cosignatures }: OpenedCheckpoint, asked: number): EntryStatus {
  if (cosignatures.length === 0) {
    const why = asked === 0 ? 'No witness key was given' : 'None of the given witnesses cosigned';
    return { subject: 'witnesses', outcome: 'not_proved', text: `${why}, so ${UNSEEN}.` };
  }
  const text = `${cosignatures.length} of ${asked} given witnesses saw this log: ${listed(cosignatures)}, by their own clocks.`;
  return { subject: 'witnesses', outcome: 'proved', text: `${text} ${THEIR_WORD}` };
}

function policyNames(cosignatures: readonly WitnessCosignature[], policy: WitnessPolicy): string[] {
  const makers = new Set(cosignatures.map(keyNameOf));
  return policy.witnesses.filter((witness) => makers.has(witnessKeyName(witness))).map(({ name }) => name);
}

/** `w1 (witness.example/w1) at 2026-11-22T10:00:00.000Z, ...`, in the order of the note. */
function listed(cosignatures: readonly WitnessCosignature[], policy?: WitnessPolicy): string {
  const names = new Map(policy?.witnesses.map((witness) => [witnessKeyName(witness), witness.name]));
  return cosignatures
    .map((cosignature) => {
      const alias = names.get(keyNameOf(cosignature));
      const who =
        alias === undefined || alias === cosignature.name
          ? cosignature.name
          : `${alias} (${cosignature.name})`;
      return `${who} at ${formatUnixTime(cosignature.timestampSeconds)}`;
    })
    .join(', ');
}

/** RFC 3339, or words for a time that no calendar holds. */
export function formatUnixTime(seconds: number): string {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? `Unix second ${seconds}` : date.toISOString();
}
