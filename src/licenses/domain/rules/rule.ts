import { type ExpandedLineage, type Subject } from '../expand-lineage.js';
import { type FactValue, type RuleId, type Severity } from '../finding.js';
import { type ListingId } from '../listing.js';
import { type RunFacts } from '../run-facts.js';
import { type Term } from '../terms.js';

export interface FindingDraft {
  readonly ruleId: RuleId;
  readonly severity: Severity;
  /** The listing it is about; without one, `listingId`, `stepKeys` and `via` may say what is known. */
  readonly subject?: Subject;
  readonly listingId?: ListingId;
  readonly stepKeys?: ReadonlySet<string>;
  readonly via?: ReadonlySet<ListingId>;
  /** Null when the finding is the absence of a term. */
  readonly term: Term | null;
  readonly fact: { readonly name: string; readonly value: FactValue };
  readonly message: string;
  readonly howToFix: string;
}

/** Where rules put what they find. */
export interface Report {
  finding(draft: FindingDraft): void;
}

/** Facts with what every rule would derive again. */
export interface PreparedFacts {
  readonly facts: RunFacts;
  readonly audience: RunFacts['audienceCountries'];
  /** Editorial work of a company earns money, so licenses see it as commercial. */
  readonly gainful: boolean;
}

export function prepareFacts(facts: RunFacts): PreparedFacts {
  return {
    facts,
    audience: facts.audienceCountries,
    gainful: facts.purpose === 'commercial' || facts.purpose === 'editorial',
  };
}

/** Looks at one listing of the lineage. */
export type ListingRule = (subject: Subject, facts: PreparedFacts, report: Report) => void;

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
  return `${entry.listing.name} (${entry.listing.id})`;
}
