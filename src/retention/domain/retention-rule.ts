/** What rules can be made for. `failed_runs`: what a failed or canceled run left behind. */
export const RETENTION_KINDS = ['assets', 'failed_runs', 'prompts', 'attachments', 'reports'] as const;
export type RetentionKind = (typeof RETENTION_KINDS)[number];

/** From when the days are counted; never before the last use of the thing. */
export const RETENTION_SINCE = ['created', 'last_release', 'campaign_end'] as const;
export type RetentionSince = (typeof RETENTION_SINCE)[number];

/** Whose things: of the organization, unless a project has a rule of its own. Ids are UUIDs. */
export interface RetentionScope {
  readonly projectId: string | undefined;
}

export type RetentionAction =
  | {
      readonly action: 'remove';
      readonly days: number;
      readonly since: RetentionSince;
      /** `YYYY-MM-DD`, UTC: the last day; only with `campaign_end`. */
      readonly campaignEndsOn: string | undefined;
      /** Whether what released assets rest on is removed as well. */
      readonly evidence: 'keep' | 'remove';
    }
  | { readonly action: 'keep' }
  /** Of a project: what the organization says counts again. */
  | { readonly action: 'inherit' };

/** One version of a rule; the last one of a kind and scope counts. */
export interface RetentionRule {
  readonly kind: RetentionKind;
  readonly scope: RetentionScope;
  readonly version: number;
  readonly does: RetentionAction;
  readonly setBy: string;
  readonly entryId: string;
  readonly effectiveFrom: Date;
  readonly createdAt: Date;
}

/** Why something stays (migration 0035 decides). */
export const KEPT_BECAUSE = [
  'legal_hold',
  'no_rule',
  'kept_by_rule',
  'rule_not_yet_in_force',
  'nothing_released_yet',
  'not_due',
  'run_open',
  'evidence_of_release',
  'share_link',
  'claim_open',
] as const;
export type KeptBecause = (typeof KEPT_BECAUSE)[number];
