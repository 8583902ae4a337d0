import type { ListingId } from './listing.js';
import type { TermKind, Verification } from './terms.js';

/** `deny` and `review` decide; a `note` informs. */
export const SEVERITIES = ['deny', 'review', 'note'] as const;
export type Severity = (typeof SEVERITIES)[number];

export const RULE_IDS = [
  'listing-unknown',
  'component-unknown',
  'commercial-weights',
  'commercial-outputs',
  'commercial-channel',
  'territory-outputs',
  'territory-weights',
  'revenue-cap',
  'usage-cap',
  'plan-tier',
  'registration',
  'field-of-use',
  'hosting-for-others',
  'output-label',
  'attribution',
  'filter-or-review',
  'output-training',
  'redistribution',
  'license-status',
  'lora-dataset',
  'input-rights-basis',
  'input-opt-out',
  'input-ai-use',
  'input-purpose',
  'input-territory',
  'input-expiry',
  'input-release',
  'indemnity',
  'training-data',
  'secondary-source',
  'litigation',
  'revocable',
  'test-output',
] as const;
export type RuleId = (typeof RULE_IDS)[number];

const RANKS = new Map<RuleId, number>(RULE_IDS.map((ruleId, rank) => [ruleId, rank]));

/** The place of a rule among all. */
export function rankOf(ruleId: RuleId): number {
  return RANKS.get(ruleId) ?? 0;
}
/** What a policy of the customer found; the licenses' own rules have no dot in their ids. */
export type PolicyFindingId = `policy.${string}`;

/** What can be cited beside terms: parts of a listing that are facts of their own. */
export type CitedKind = TermKind | 'license' | 'indemnity' | 'training-data';

/** The term on which a finding or an obligation rests, with the place where it was read. */
export interface CitedTerm {
  readonly id: string;
  readonly kind: CitedKind;
  readonly paraphrase: string;
  readonly clause: string | null;
  readonly verified: Verification;
  readonly source: { readonly title: string; readonly url: string | null; readonly dateRead: string };
}

export type FactValue = string | number | null | readonly string[];

export interface Finding {
  readonly ruleId: RuleId | PolicyFindingId;
  readonly severity: Severity;
  /** Null for findings about an input or about the lineage as a whole. */
  readonly listingId: ListingId | null;
  /** Steps that brought the listing in, sorted. */
  readonly stepKeys: readonly string[];
  /** Listings through which a hidden component came in, sorted; empty when the lineage names it itself. */
  readonly via: readonly ListingId[];
  /** Null when the finding is the absence of a term. */
  readonly term: CitedTerm | null;
  /** The fact that triggered it. */
  readonly fact: { readonly name: string; readonly value: FactValue };
  /** Plain English. */
  readonly message: string;
  /** What a person can do, with listed models that would be allowed instead. */
  readonly howToFix: string;
  /** Listings of the same role and modality that are allowed under the same facts; at most three. */
  readonly alternatives: readonly ListingId[];
}

export const OBLIGATION_KINDS = [
  'label-output',
  'filter-or-review',
  'attribution',
  'keep-notices',
  'keep-marks',
  'no-training-on-outputs',
  'flow-down',
  'same-license-for-derivatives',
  'acceptable-use',
  'usage-reporting',
  'place-of-use',
  'indemnify-licensor',
  'not-for-publication',
  'stop-before',
] as const;
export type ObligationKind = (typeof OBLIGATION_KINDS)[number];

/** Something that must be shown or done in return for the permission; it follows the asset. */
export interface Obligation {
  readonly kind: ObligationKind;
  readonly listingId: ListingId | null;
  readonly text: string;
  readonly due: 'at-use' | 'before-publication' | 'on-publication' | 'on-distribution-of-model' | 'always';
  readonly term: CitedTerm | null;
  /** Last day on which the work may be shown, for `stop-before`. */
  readonly until?: string;
}

export const DECISIONS = ['allow', 'review', 'deny'] as const;
export type Decision = (typeof DECISIONS)[number];
