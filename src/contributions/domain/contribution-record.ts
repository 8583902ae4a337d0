import { canonicalJson } from '../../shared/canonical-json.js';
import { publicId } from '../../shared/ids.js';
import {
  type Assignment,
  type CaptureKind,
  type ContributionAction,
  type ContributionBasis,
  type Engagement,
  type SELECTION,
} from './contribution.js';

/** How the contributor works for the organization, in their own words where words are needed. */
export interface EngagementTerms {
  readonly status: Engagement;
  readonly assignment: Assignment;
  /** Who employs or sends them; null where nobody said. */
  readonly employer: string | null;
  /** Where the contract or assignment can be found. */
  readonly document: string | null;
  /** ISO 3166-1 alpha-2: where they work. */
  readonly country: string | null;
}

export const UNKNOWN_ENGAGEMENT: EngagementTerms = {
  status: 'unknown',
  assignment: 'unknown',
  employer: null,
  document: null,
  country: null,
};

/** What one record says, before it is known whose it is. Ids are UUIDs. */
export interface RecordedAct {
  readonly parentAssetId: string;
  readonly beforeSha256: string;
  readonly afterSha256: string;
  readonly actionType: ContributionAction | typeof SELECTION;
  readonly basis: ContributionBasis;
  readonly capture: CaptureKind;
  readonly engagement: EngagementTerms;
  readonly tool: { readonly name: string; readonly version: string } | null;
  readonly statement: string;
  /** Candidates in the order in which they were shown; empty where nothing was chosen among several. */
  readonly shownAssetIds: readonly string[];
  /** RFC 3339, by the clock of who signs; null for a record that was not signed when it was made. */
  readonly signedAt: string | null;
}

/**
 * The bytes that a contributor signs: canonical JSON (RFC 8785) of exactly this object. It names the files by their
 * hashes, so the signature is on this work and no other, and person and organization, so it serves nobody else.
 */
export function recordText(organizationId: string, contributorId: string, act: RecordedAct): string {
  return canonicalJson({
    v: 1,
    type: 'colophon.contribution',
    organizationId: publicId('organization', organizationId),
    contributorId: publicId('principal', contributorId),
    parentAssetId: publicId('asset', act.parentAssetId),
    beforeSha256: act.beforeSha256,
    afterSha256: act.afterSha256,
    actionType: act.actionType,
    basis: act.basis,
    capture: act.capture,
    engagement: { ...act.engagement },
    tool: act.tool === null ? null : { ...act.tool },
    statement: act.statement,
    shown: act.shownAssetIds.map((id) => publicId('asset', id)),
    signedAt: act.signedAt,
  }).toString('utf8');
}

/** A signature that says it was made later than this after now was made by a wrong clock. */
const FUTURE_TOLERANCE_MS = 10 * 60_000;
/** What was signed longer ago than this was not declared when it happened. */
const AT_THE_TIME_MS = 60 * 60_000;

/** @returns what is wrong with the time of a signature; `undefined` when nothing is */
export function wrongSigningTime(signedAt: string, capture: CaptureKind, now: Date): string | undefined {
  const ageMs = now.getTime() - Date.parse(signedAt);
  if (ageMs < -FUTURE_TOLERANCE_MS) return 'lies in the future';
  if (capture === 'declared_at_time' && ageMs > AT_THE_TIME_MS)
    return 'is more than an hour ago: say "declared_later"';
  return undefined;
}
