import { type Tx } from '../../database/organization-tx.js';
import { sha256Hex } from '../../shared/bytes.js';
import { type Decision, type Finding } from '../domain/finding.js';
import { callOf, policyFindings, withPolicies } from '../domain/policies/decide-policies.js';
import { type HumanWork, type Policy, type PolicyAction } from '../domain/policies/policy.js';
import { type PolicyReader } from '../domain/policies/policy-engine.port.js';
import { type PolicyProblem, type ReadPolicies } from '../domain/policies/read-policies.js';
import { workAttributes } from '../domain/policies/work-attributes.js';
import { type AskPolicies, licenseOf, rolesOfAsker, useOf } from './ask-policies.js';
import { type EffectiveRegistry } from './effective-registry.js';
import { readClearance } from './read-clearance.js';
import { readText } from './set-policy.js';

export interface CheckPolicyRequest {
  readonly text: string;
  readonly read: ReadPolicies;
  /** What it would have said of this decision. */
  readonly clearanceId: string | undefined;
  readonly action: PolicyAction;
  /** For `release`: the work of people to assume. */
  readonly human: HumanWork;
}

export type CheckedPolicy =
  | { readonly valid: false; readonly problems: readonly PolicyProblem[] }
  | {
      readonly valid: true;
      readonly policies: readonly Policy[];
      readonly warnings: readonly PolicyProblem[];
      readonly sha256: string;
      /** Of these policies alone, beside the licenses; undefined when no decision was named. */
      readonly wouldSay:
        | {
            readonly licenseDecision: Decision;
            readonly decision: Decision;
            readonly findings: readonly Finding[];
          }
        | undefined;
    };

/** Tries a text before it is put in force. Nothing is recorded. */
export class CheckPolicy {
  constructor(
    private readonly registry: EffectiveRegistry,
    private readonly policies: AskPolicies,
    private readonly reader: PolicyReader,
  ) {}

  /** Before a transaction is opened: it may take seconds. @throws ColophonError `policy_invalid`, `conflict` */
  async read(text: string, organizationId: string): Promise<ReadPolicies> {
    return readText(text, this.reader, organizationId);
  }

  /** @throws ColophonError `not_found` for a clearance that does not exist; */
  async check(
    tx: Tx,
    { text, read, clearanceId, action, human }: CheckPolicyRequest,
  ): Promise<CheckedPolicy> {
    const { engine } = this.policies.inForce;
    if (read.problems) return { valid: false, problems: read.problems };
    const { policies, warnings } = read;
    const sha256 = sha256Hex(text);
    if (clearanceId === undefined) return { valid: true, policies, warnings, sha256, wouldSay: undefined };
    const recorded = await readClearance(tx, clearanceId);
    const { index } = await this.registry.now(tx);
    const question =
      recorded.policies?.question ??
      (await this.policies.inForce.question(tx, await rolesOfAsker(tx, recorded), useOf(recorded)));
    const license = licenseOf(recorded);
    const { lineage, facts } = recorded.input;
    const work = workAttributes(lineage, facts, index, license, question);
    const ref = { kind: 'cedar', scope: 'organization', version: 0, sha256 } as const;
    await engine.prepare({ ref, policies });
    const findings = policyFindings([{ ref, policies }], callOf(action, question, work, human), engine);
    const { decision } = withPolicies({ decision: license.decision, findings: [] }, findings);
    return {
      valid: true,
      warnings,
      policies,
      sha256,
      wouldSay: { licenseDecision: license.decision, decision, findings },
    };
  }
}
