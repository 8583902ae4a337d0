import { sha256Hex } from '../../../shared/bytes.js';
import { canonicalJson, type JsonValue } from '../../../shared/canonical-json.js';
import { type Decision, DECISIONS, type Finding, type Severity, SEVERITIES } from '../finding.js';
import { type LicenseOutcome } from './work-attributes.js';
import {
  type HumanWork,
  type Policy,
  type PolicyAction,
  type PolicyBasis,
  type PolicyQuestion,
  type PolicyRef,
  type PolicySet,
  type TermMatch,
} from './policy.js';
import { type PolicyCall, type PolicyEngine, type PolicyRecord } from './policy-engine.port.js';
import { entities } from './work-attributes.js';

/** For `generate`; a release also tells of people's work. */
export function callOf(
  action: PolicyAction,
  { roles }: PolicyQuestion,
  work: PolicyRecord,
  human?: HumanWork,
): PolicyCall {
  const { humanContribution = false, contributionKinds = [] } = human ?? {};
  return {
    action,
    principal: { roles: entities('Role', roles) },
    work,
    context: action === 'generate' ? {} : { humanContribution, contributionKinds: [...contributionKinds] },
  };
}

/**
 * What the policies of all scopes say. Each set is asked by itself, so no set can change what another one says, and
 * their order does not matter. What cannot be answered is never left out.
 */
export function policyFindings(
  sets: readonly PolicySet[],
  call: PolicyCall,
  engine: PolicyEngine,
): readonly Finding[] {
  return inOrder(sets.flatMap((set) => findingsOf(set, call, engine)));
}

function findingsOf(set: PolicySet, call: PolicyCall, engine: PolicyEngine): Finding[] {
  if (set.policies === undefined) return [notEvaluated(set.ref)];
  if (set.policies.length === 0) return [];
  const byId = new Map(set.policies.map((policy) => [policy.id, policy]));
  try {
    const { matched, failed } = engine.evaluate(set, call);
    const said = [...matched, ...failed].map((id) => byId.get(id));
    if (said.includes(undefined)) return [notEvaluated(set.ref)];
    return [
      ...matched.flatMap((id) => forbidden(set.ref, byId.get(id))),
      ...failed.flatMap((id) => unanswered(set.ref, byId.get(id))),
    ];
  } catch {
    return [notEvaluated(set.ref)];
  }
}

function forbidden(ref: PolicyRef, policy: Policy | undefined): Finding[] {
  if (policy === undefined) return [];
  const { id, severity, message, fix } = policy;
  return [finding(ref, `policy.${id}`, severity, message, fix)];
}

/** Unknown is not no: a person looks. */
function unanswered(ref: PolicyRef, policy: Policy | undefined): Finding[] {
  if (policy === undefined) return [];
  const message = `Whether the policy "${policy.id}" forbids this could not be computed: ${policy.message}`;
  const fix = 'Have the policy corrected (a number may be out of range), or have a person decide.';
  return [finding(ref, `policy.${policy.id}`, 'review', message, fix)];
}

function notEvaluated(ref: PolicyRef): Finding {
  const message = `The policies of the ${placeOfScope(ref)} could not be evaluated, so nothing is allowed.`;
  const fix = 'Ask again. If it stays so, save the policies again, and ask the operator.';
  return finding(ref, 'policy.not-evaluated', 'deny', message, fix);
}

/** A text that was to be sent to a provider holds a word of a list. Names the list and the term, and shows neither. */
export function termFindings(matches: readonly TermMatch[]): readonly Finding[] {
  return inOrder(
    matches.map(({ stepKey, scope, version, termId }) => ({
      ...finding(
        { scope, version },
        'policy.blocked-term',
        'deny',
        `A text of step "${stepKey}" holds the term ${termId} of the blocked terms of the ${placeOfScope({ scope, version })}.`,
        'Write the prompt without it. GET /v1/policies/{id} of this list shows the term to those who may read it.',
      ),
      stepKeys: [stepKey],
      fact: { name: 'blockedTerm', value: termId },
    })),
  );
}

function finding(
  ref: Pick<PolicyRef, 'scope' | 'version'>,
  ruleId: `policy.${string}`,
  severity: Severity,
  message: string,
  howToFix: string,
): Finding {
  // In the order of the names, which outcome-json.ts relies on.
  return {
    alternatives: [],
    fact: { name: 'policy', value: placeOfScope(ref) },
    howToFix,
    listingId: null,
    message,
    ruleId,
    severity,
    stepKeys: [],
    term: null,
    via: [],
  };
}

function placeOfScope({ scope, version }: Pick<PolicyRef, 'scope' | 'version'>): string {
  return `${scope.replace('-', ' ')}, version ${version}`;
}

const SEVERITY_RANK = new Map<Severity, number>(SEVERITIES.map((severity, rank) => [severity, rank]));
const rankOf = (severity: Severity): number => SEVERITY_RANK.get(severity) ?? 0;

function inOrder(findings: readonly Finding[]): readonly Finding[] {
  const keyed = findings.map((item) => ({
    item,
    key: JSON.stringify([item.ruleId, item.fact.value, item.stepKeys, item.message]),
  }));
  keyed.sort(
    (a, b) =>
      rankOf(a.item.severity) - rankOf(b.item.severity) || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0),
  );
  return keyed.map(({ item }) => item);
}

const DECISION_RANK = new Map<Decision, number>(DECISIONS.map((decision, rank) => [decision, rank]));

/**
 * The license decision with what the policies found: the stricter of both, and every finding of the licenses stays.
 * No argument makes the answer milder than the licenses alone.
 */
export function withPolicies(license: LicenseOutcome, found: readonly Finding[]): LicenseOutcome {
  const asked = found.some(({ severity }) => severity === 'deny')
    ? 'deny'
    : found.some(({ severity }) => severity === 'review')
      ? 'review'
      : 'allow';
  const findings = SEVERITIES.flatMap((severity) => [
    ...license.findings.filter((item) => item.severity === severity),
    ...found.filter((item) => item.severity === severity),
  ]);
  return { decision: stricter(license.decision, asked), findings };
}

export function stricter(a: Decision, b: Decision): Decision {
  return (DECISION_RANK.get(a) ?? 0) >= (DECISION_RANK.get(b) ?? 0) ? a : b;
}

/** What a person was asked, and accepted: a policy that says something else under its old id is a new question. */
export function sameQuestion(a: Finding, b: Finding): boolean {
  return a.ruleId === b.ruleId && a.message === b.message;
}

/** Policy findings that ask for more than the recorded ones did: a new one, or a stricter one of the same words. */
export function strictFindings(found: readonly Finding[], recorded: readonly Finding[]): readonly Finding[] {
  return found.filter(
    (now) =>
      !recorded.some((then) => sameQuestion(now, then) && rankOf(then.severity) <= rankOf(now.severity)),
  );
}

/**
 * Fixes in the log on what a decision rested beside the licenses. The matched terms are left out: they say something
 * of a prompt, and a hash of so little could be guessed.
 */
export function basisSha256({ matches: _matches, ...basis }: PolicyBasis): string {
  return sha256Hex(canonicalJson(basis as unknown as JsonValue));
}
