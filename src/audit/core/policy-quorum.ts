import { parseSignatureLine } from './signed-note.js';
import {
  keyNameOf,
  NO_QUORUM,
  type PolicyGroup,
  type PolicyWitness,
  type WitnessPolicy,
  witnessKeyName,
} from './witness-policy.js';

/** Whether a set of witnesses is enough for a policy, and in words for people why or why not. */

export interface PolicyStatus {
  readonly satisfied: boolean;
  /** Names of witnesses of the policy that cosigned, in the policy's order. */
  readonly cosigned: readonly string[];
  /** Names of those that did not, whether they are needed or not. */
  readonly missing: readonly string[];
  /** Two or three sentences: who cosigned and who did not, what is needed, whether that is met. */
  readonly text: string;
}

/**
 * Evaluates the quorum: a group has witnessed when at least `threshold` of its members have. Names that the policy
 * does not define count for nothing. O(witnesses + groups), because each name is a member of one group at most.
 */
export function isSatisfied(policy: WitnessPolicy, cosigned: Iterable<string>): boolean {
  if (policy.quorum === NO_QUORUM) return true;
  const known = new Set(policy.witnesses.map(({ name }) => name));
  const witnessed = new Set([...cosigned].filter((name) => known.has(name)));
  // Members are defined before the group, so one pass in order of definition is enough.
  for (const { name, threshold, members } of policy.groups) {
    if (members.filter((member) => witnessed.has(member)).length >= threshold) witnessed.add(name);
  }
  return witnessed.has(policy.quorum);
}

/**
 * {@link isSatisfied} for witnesses that are named by their keys, as they are stored.
 * @param keyNames see `witnessKeyName`; others count for nothing
 */
export function isSatisfiedByKeys(policy: WitnessPolicy, keyNames: Iterable<string>): boolean {
  const given = new Set(keyNames);
  const present = policy.witnesses.filter((witness) => given.has(witnessKeyName(witness)));
  return isSatisfied(
    policy,
    present.map(({ name }) => name),
  );
}

/** {@link isSatisfied} with an explanation. */
export function explainPolicy(policy: WitnessPolicy, cosigned: Iterable<string>): PolicyStatus {
  const given = new Set(cosigned);
  const names = policy.witnesses.map(({ name }) => name);
  const present = names.filter((name) => given.has(name));
  const missing = names.filter((name) => !given.has(name));
  const satisfied = isSatisfied(policy, present);
  const verdict = satisfied ? 'The policy is met.' : 'The policy is not met.';
  const text =
    policy.quorum === NO_QUORUM && names.length === 0
      ? 'The policy asks for no witness.'
      : `${describePresence(present, missing)} Needed: ${describeNeed(policy)}. ${verdict}`;
  return { satisfied, cosigned: present, missing, text };
}

function describePresence(present: readonly string[], missing: readonly string[]): string {
  const total = present.length + missing.length;
  const who = present.length === 0 ? '' : ` (${present.join(', ')})`;
  const rest = missing.length === 0 ? '' : `; missing: ${missing.join(', ')}`;
  return `${present.length} of ${total} ${total === 1 ? 'witness' : 'witnesses'} cosigned${who}${rest}.`;
}

/** What the quorum asks for, e.g. `all 2 of (at least 2 of (x1, x2, x3), at least 1 of (y1, y2))`. */
function describeNeed(policy: WitnessPolicy): string {
  const groups = new Map<string, PolicyGroup>(policy.groups.map((group) => [group.name, group]));
  // Each name is a member of one group at most, so the text is no longer than the policy; depth <= 64 groups.
  const describe = (name: string): string => {
    const group = groups.get(name);
    if (!group) return name;
    const { threshold, members } = group;
    const list = members.map(describe).join(', ');
    if (members.length === 1) return list;
    return `${threshold === members.length ? 'all' : 'at least'} ${threshold} of (${list})`;
  };
  return policy.quorum === NO_QUORUM ? 'none' : describe(policy.quorum);
}

/**
 * Names of the policy's witnesses among the makers of these signature lines, in the policy's order. It compares key
 * name and key id only: give it lines that were verified, such as those that were verified before they were stored.
 * @param lines without newline
 * @throws TlogError malformed
 */
export function cosignersAmong(policy: WitnessPolicy, lines: Iterable<string>): PolicyWitness[] {
  const makers = new Set([...lines].map((line) => keyNameOf(parseSignatureLine(line))));
  return policy.witnesses.filter((witness) => makers.has(witnessKeyName(witness)));
}

/** {@link explainPolicy} for stored signature lines. @throws TlogError malformed */
export function explainLines(policy: WitnessPolicy, lines: Iterable<string>): PolicyStatus {
  return explainPolicy(
    policy,
    cosignersAmong(policy, lines).map(({ name }) => name),
  );
}
