import { type Role } from '../../../identity/domain/principal.js';
import { type Decision, type Severity } from '../finding.js';

/** Where a policy applies. All that apply are asked: what one forbids, no other permits. */
export const POLICY_SCOPES = ['organization', 'project', 'use-case'] as const;
export type PolicyScopeKind = (typeof POLICY_SCOPES)[number];

/** Rules in Cedar, or a list of words that no prompt may hold. */
export const POLICY_KINDS = ['cedar', 'blocked-terms'] as const;
export type PolicyKind = (typeof POLICY_KINDS)[number];

/** `deny` ends it, `review` asks a person. A policy has no milder word. */
export const POLICY_SEVERITIES = ['deny', 'review'] as const satisfies readonly Severity[];
export type PolicySeverity = (typeof POLICY_SEVERITIES)[number];

/** One rule of a customer, as its annotations describe it. */
export interface Policy {
  /** `@id`. */
  readonly id: string;
  readonly severity: PolicySeverity;
  readonly message: string;
  readonly fix: string;
  /** The rule itself, in Cedar. */
  readonly text: string;
}

/** Names one version of one policy set or list for ever. */
export interface PolicyRef {
  readonly kind: PolicyKind;
  readonly scope: PolicyScopeKind;
  readonly version: number;
  /** Of the bytes as they were sent (Cedar), or of the canonical JSON of the list. */
  readonly sha256: string;
}

/** The rules of one version; undefined when its text cannot be read by this release. */
export interface PolicySet {
  readonly ref: PolicyRef;
  readonly policies: readonly Policy[] | undefined;
}

export const POLICY_ACTIONS = ['generate', 'release'] as const;
export type PolicyAction = (typeof POLICY_ACTIONS)[number];

/** Who asks for what, beside the work itself. */
export interface PolicyQuestion {
  readonly roles: readonly Role[];
  /** Names; null for a question that belongs to none. */
  readonly project: string | null;
  readonly useCase: string | null;
}

/** What is recorded of people's work on an asset, when it is to be released. */
export interface HumanWork {
  /** Somebody did more than correct or assist. */
  readonly humanContribution: boolean;
  readonly contributionKinds: readonly string[];
}

/** A text of a step holds a term of a list. Neither the text nor the term: only their names. */
export interface TermMatch {
  readonly stepKey: string;
  readonly scope: PolicyScopeKind;
  readonly version: number;
  readonly listSha256: string;
  readonly termId: string;
}

/** What a recorded decision rests on beside the licenses: with the texts under these hashes it can be made again. */
export interface PolicyBasis {
  readonly v: 1;
  /** The language and its release, e.g. `Cedar 4.13.0`. */
  readonly engine: string;
  readonly schemaSha256: string;
  /** What the licenses alone said. */
  readonly licenseDecision: Decision;
  readonly question: PolicyQuestion;
  readonly refs: readonly PolicyRef[];
  readonly matches: readonly TermMatch[];
  /** Other projects from which something of the work comes, where they have policies of their own. */
  readonly origins?: readonly PolicyOrigin[];
}

export interface PolicyOrigin {
  /** Public id. */
  readonly projectId: string;
  readonly project: string | null;
  readonly refs: readonly PolicyRef[];
}
