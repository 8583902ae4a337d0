import { type Subject } from './expand-lineage.js';
import {
  type CitedTerm,
  type Decision,
  type Finding,
  RULE_IDS,
  type RuleId,
  SEVERITIES,
  type Severity,
} from './finding.js';
import { type ListingId } from './listing.js';
import { type FindingDraft, type PreparedFinding, type Report } from './rules/rule.js';

const SEVERITY_RANK = new Map<Severity, number>(SEVERITIES.map((severity, rank) => [severity, rank]));
const RULE_RANK = new Map<RuleId, number>(RULE_IDS.map((ruleId, rank) => [ruleId, rank]));
const NO_IDS: readonly string[] = [];

type Place = Pick<Finding, 'listingId' | 'stepKeys' | 'via'>;

/** What all findings about one subject share. */
interface Matter extends Place {
  readonly subject: Subject;
  readonly condition: string;
  /** Asked for when something stands against the subject. */
  alternatives?: readonly ListingId[];
}

/**
 * Gathers what the rules say. Findings come out by severity, then by rule, then in the order in which the rules spoke;
 * that is the sorted order of listings and inputs, so the input alone decides it.
 */
export class Collector implements Report {
  readonly #alternativesTo: (subject: Subject) => readonly ListingId[];
  readonly #shelves = new Array<Finding[] | undefined>(SEVERITIES.length * RULE_IDS.length).fill(undefined);
  readonly #saidWithoutSubject = new Set<string>();
  /** Rules speak about one subject after the other. */
  #latest: Matter | undefined;
  #denied = false;
  #reviewed = false;

  constructor(alternativesTo: (subject: Subject) => readonly ListingId[]) {
    this.#alternativesTo = alternativesTo;
  }

  get decision(): Decision {
    if (this.#denied) return 'deny';
    return this.#reviewed ? 'review' : 'allow';
  }

  finding(draft: FindingDraft): void {
    const { subject } = draft;
    if (subject) this.prepared(subject, draft);
    // Two inputs without an asset id may say the same; a listing speaks only once per rule, term and fact.
    else if (!this.#alreadySaid(draft)) {
      const { listingId, stepKeys, via, cited } = draft;
      const place = { listingId: listingId ?? null, stepKeys: sorted(stepKeys), via: sorted(via) };
      this.#add(draft, draft.severity, place, draft.message, NO_IDS, cited ?? null);
    }
  }

  prepared(subject: Subject, finding: PreparedFinding): void {
    const matter = this.#matterOf(subject);
    const { cited, term } = finding;
    const severity = severityFor(subject, finding.severity);
    const alternatives =
      severity === 'note' ? NO_IDS : (matter.alternatives ??= this.#alternativesTo(subject));
    const message = matter.condition === '' ? finding.message : matter.condition + finding.message;
    const citation = cited ?? (term === null ? null : (subject.entry.citedTerms.get(term) ?? null));
    this.#add(finding, severity, matter, message, alternatives, citation);
  }

  #add(
    { ruleId, fact, howToFix }: PreparedFinding,
    severity: Severity,
    { listingId, stepKeys, via }: Place,
    message: string,
    alternatives: readonly ListingId[],
    term: CitedTerm | null,
  ): void {
    if (severity === 'deny') this.#denied = true;
    if (severity === 'review') this.#reviewed = true;
    const shelf = (SEVERITY_RANK.get(severity) ?? 0) * RULE_IDS.length + (RULE_RANK.get(ruleId) ?? 0);
    (this.#shelves[shelf] ??= []).push({
      // In the order of the names, which outcome-json.ts relies on.
      alternatives,
      fact,
      howToFix: withAlternatives(howToFix, alternatives),
      listingId,
      message,
      ruleId,
      severity,
      stepKeys,
      term,
      via,
    });
  }

  findings(): readonly Finding[] {
    const all: Finding[] = [];
    for (const shelf of this.#shelves) if (shelf !== undefined) all.push(...shelf);
    return all;
  }

  #alreadySaid({ ruleId, severity, listingId, message, fact }: FindingDraft): boolean {
    const key = JSON.stringify([ruleId, severity, listingId, message, fact]);
    if (this.#saidWithoutSubject.has(key)) return true;
    this.#saidWithoutSubject.add(key);
    return false;
  }

  #matterOf(subject: Subject): Matter {
    if (this.#latest?.subject === subject) return this.#latest;
    const { entry, stepKeys, via } = subject;
    const matter = {
      subject,
      condition: optionalNote(subject),
      listingId: entry.listing.id,
      stepKeys: sorted(stepKeys),
      via: sorted(via),
    };
    this.#latest = matter;
    return matter;
  }
}

/** Kleene: "perhaps used" AND "not allowed" is unknown, and unknown is decided by a person. */
function severityFor({ used }: Subject, severity: Severity): Severity {
  return severity === 'deny' && used === 'unknown' ? 'review' : severity;
}

function sorted(values: readonly string[] | undefined): readonly string[] {
  if (values === undefined || values.length === 0) return NO_IDS;
  return values.length === 1 ? values : [...values].sort();
}

/** Words before everything that holds only if an optional component is used. */
export function optionalNote(subject: Subject | undefined): string {
  return subject?.used === 'unknown' ? 'If this optional component is used: ' : '';
}

function withAlternatives(howToFix: string, alternatives: readonly ListingId[]): string {
  if (alternatives.length === 0) return howToFix;
  return `${howToFix} Allowed under the same facts: ${alternatives.join(', ')}.`;
}
