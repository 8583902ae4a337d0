import { sha256Hex } from '../../shared/bytes.js';
import { canonicalJson, type JsonValue } from '../../shared/canonical-json.js';
import { type EngineVersion } from './engine-version.js';
import { type CitedTerm, type Finding, type Obligation } from './finding.js';
import { type ListingId } from './listing.js';
import { type IndexedListing } from './listing-index.js';
import { standingFindings } from './rules/all-rules.js';
import { type SettledFinding } from './rules/rule.js';
import { type Purpose } from './terms.js';

/**
 * What a listing says for one purpose under one version of the rules, whatever else is stated. Thousands of decisions
 * say it in the same words: it is stored once under its hash, and they refer to it.
 */
export interface Outlook {
  readonly listingId: ListingId;
  /** In the order of {@link RecordedOutlook.findings}. */
  readonly standing: readonly SettledFinding[];
  readonly obligations: readonly Obligation[];
  /** Of the listing, all that findings can cite; in the order of {@link RecordedOutlook.terms}. */
  readonly cited: readonly CitedTerm[];
  /** Canonical bytes (RFC 8785) of the {@link RecordedOutlook}. */
  readonly bytes: Buffer;
  /** Of `bytes`. */
  readonly sha256: string;
}

/** The part of a finding that a listing alone decides; where it came in, and how severe that is, a decision adds. */
export type StandingWords = Pick<Finding, 'fact' | 'howToFix' | 'message' | 'ruleId' | 'term'>;

/** An {@link Outlook} as it is stored. */
export interface RecordedOutlook {
  readonly findings: readonly StandingWords[];
  readonly listingId: ListingId;
  readonly obligations: readonly Obligation[];
  readonly terms: readonly CitedTerm[];
}

/** By the standing findings: one array for a listing, a purpose and a version, which goes with the listing. */
const OUTLOOKS = new WeakMap<readonly SettledFinding[], Outlook>();

export function outlookOf(entry: IndexedListing, purpose: Purpose, version: EngineVersion): Outlook {
  const standing = standingFindings(entry, purpose, version);
  const known = OUTLOOKS.get(standing);
  if (known !== undefined) return known;
  const cited = [
    ...entry.citedTerms.values(),
    entry.citedLicense,
    entry.citedIndemnity,
    entry.citedTrainingData,
  ];
  const recorded: RecordedOutlook = {
    findings: standing.map(({ fact, howToFix, message, ruleId, cited: term }) => ({
      fact,
      howToFix,
      message,
      ruleId,
      term,
    })),
    listingId: entry.listing.id,
    obligations: entry.obligations,
    terms: cited,
  };
  const bytes = canonicalJson(recorded as unknown as JsonValue);
  const { listingId, obligations } = recorded;
  const outlook = { listingId, standing, obligations, cited, bytes, sha256: sha256Hex(bytes) };
  OUTLOOKS.set(standing, outlook);
  return outlook;
}
