import { type EngineVersion } from '../engine-version.js';
import { type ExpandedLineage, type Subject } from '../expand-lineage.js';
import { type CitedTerm, type FactValue, rankOf, type RuleId, type Severity } from '../finding.js';
import { type ListingId } from '../listing.js';
import { type IndexedListing } from '../listing-index.js';
import { purposeOf, type RunFacts } from '../run-facts.js';
import { countriesOf } from '../subdivisions.js';
import { type Purpose, type Term, type TermKind } from '../terms.js';

export interface FindingDraft {
  readonly ruleId: RuleId;
  readonly severity: Severity;
  /** The listing it is about; without one, `listingId`, `stepKeys` and `via` may say what is known. */
  readonly subject?: Subject;
  readonly listingId?: ListingId;
  readonly stepKeys?: readonly string[];
  readonly via?: readonly ListingId[];
  /** Null when the finding is the absence of a term. */
  readonly term: Term | null;
  /** Where the finding rests on a part of the listing that is not a term. */
  readonly cited?: CitedTerm;
  readonly fact: { readonly name: string; readonly value: FactValue };
  readonly message: string;
  readonly howToFix: string;
}

/** A finding about a listing; the decision only adds where the listing came in. */
export type PreparedFinding = Omit<FindingDraft, 'subject' | 'listingId' | 'stepKeys' | 'via'>;

/** A finding of which all is known but where its listing came in. All of them have the same members. */
export interface SettledFinding {
  readonly ruleId: RuleId;
  /** Of the rule. */
  readonly rank: number;
  readonly severity: Severity;
  readonly cited: CitedTerm | null;
  readonly fact: FindingDraft['fact'];
  readonly message: string;
  readonly howToFix: string;
}

export function settled(finding: PreparedFinding, entry?: IndexedListing): SettledFinding {
  const { ruleId, severity, term, fact, message, howToFix } = finding;
  const cited = finding.cited ?? (term && entry?.citedTerms.get(term)) ?? null;
  return { ruleId, rank: rankOf(ruleId), severity, cited, fact, message, howToFix };
}

/** Where rules put what they find. */
export interface Report {
  finding(draft: FindingDraft): void;
  prepared(subject: Subject, finding: PreparedFinding): void;
  settled(subject: Subject, finding: SettledFinding): void;
}

/** Facts with what every rule would derive again. */
export interface PreparedFacts {
  /** As stated, but for a purpose that other facts contradict. */
  readonly facts: RunFacts;
  /** By which rules is decided. */
  readonly version: EngineVersion;
  /** Countries: licenses and rights name no parts of them. */
  readonly audience: 'worldwide' | readonly string[];
  /** Editorial work of a company earns money, so licenses see it as commercial. */
  readonly gainful: boolean;
}

export function prepareFacts(given: RunFacts, version: EngineVersion): PreparedFacts {
  const purpose = purposeOf(given, version);
  const facts = purpose === given.purpose ? given : { ...given, purpose };
  return {
    facts,
    version,
    audience: audienceOf(facts),
    gainful: facts.purpose === 'commercial' || facts.purpose === 'editorial',
  };
}

/** Shown to nobody is no answer to where it is shown: then it may be anywhere. */
function audienceOf({ audienceCountries }: RunFacts): PreparedFacts['audience'] {
  return audienceCountries.length === 0 ? 'worldwide' : countriesOf(audienceCountries);
}

/**
 * What a listing says whatever else is stated of the run. It sees nothing but the listing, the purpose and the version
 * of the rules, so it is asked once for the three of them, not per decision.
 */
export type StandingRule = (
  entry: IndexedListing,
  purpose: Purpose,
  version: EngineVersion,
) => readonly PreparedFinding[];

/** Looks at one listing of the lineage under the facts. */
export interface ListingRule {
  /** Whether the listing has anything the rule could speak about; asked once per listing, not per decision. */
  readonly concerns: (entry: IndexedListing) => boolean;
  readonly check: (subject: Subject, facts: PreparedFacts, report: Report, lineage: ExpandedLineage) => void;
}

/** A rule about terms of one kind. */
export const hasTerm =
  (kind: TermKind) =>
  (entry: IndexedListing): boolean =>
    entry.termsByKind.has(kind);

/** Looks at the lineage as a whole. */
export type LineageRule = (lineage: ExpandedLineage, facts: PreparedFacts, report: Report) => void;

/**
 * A restriction denies, but one of which nobody has shown the text only sends to review: it may not exist.
 */
export function restrictionSeverity(term: Term): 'deny' | 'review' {
  return term.verified === 'unverified' ? 'review' : 'deny';
}

/** The name of a listing in messages. */
export function nameOf({ entry }: Subject): string {
  return entry.label;
}
