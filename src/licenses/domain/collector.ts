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

const RULE_RANK = new Map<RuleId, number>(RULE_IDS.map((ruleId, rank) => [ruleId, rank]));
const NO_IDS: readonly string[] = [];

type Place = Pick<Finding, 'listingId' | 'stepKeys' | 'via'>;

/** What all findings about one subject share. */
interface Matter extends Place {
  readonly subject: Subject;
  /** Words before each message. */
  readonly condition: string;
  /** Looked for when something stands against the subject. */
  wayOut?: WayOut;
}

interface WayOut {
  readonly alternatives: readonly ListingId[];
  /** Words after how to fix it. */
  readonly hint: string;
}

const NO_WAY_OUT: WayOut = { alternatives: NO_IDS, hint: '' };

/**
 * Gathers what the rules say. Findings come out by severity, then by rule, then in the order in which the rules spoke;
 * that is the sorted order of listings and inputs, so the input alone decides it.
 */
export class Collector implements Report {
  readonly #alternativesTo: (subject: Subject) => readonly ListingId[];
  /** Of each severity one shelf for each rule. */
  readonly #shelves: Readonly<Record<Severity, (Finding[] | undefined)[]>> = { deny: [], review: [], note: [] };
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
      this.#add(draft, draft.severity, place, draft.message, NO_WAY_OUT, cited ?? null);
    }
  }

  prepared(subject: Subject, finding: PreparedFinding): void {
    const matter = this.#matterOf(subject);
    const { cited, term } = finding;
    const severity = severityFor(subject, finding.severity);
    const wayOut =
      severity === 'note' ? NO_WAY_OUT : (matter.wayOut ??= wayOutBy(this.#alternativesTo(subject)));
    const message = matter.condition === '' ? finding.message : matter.condition + finding.message;
    const citation = cited ?? (term === null ? null : (subject.entry.citedTerms.get(term) ?? null));
    this.#add(finding, severity, matter, message, wayOut, citation);
  }

  #add(
    { ruleId, fact, howToFix }: PreparedFinding,
    severity: Severity,
    { listingId, stepKeys, via }: Place,
    message: string,
    { alternatives, hint }: WayOut,
    term: CitedTerm | null,
  ): void {
    if (severity === 'deny') this.#denied = true;
    if (severity === 'review') this.#reviewed = true;
    const finding: Finding = {
      // In the order of the names, which outcome-json.ts relies on.
      alternatives,
      fact,
      howToFix: hint === '' ? howToFix : howToFix + hint,
      listingId,
      message,
      ruleId,
      severity,
      stepKeys,
      term,
      via,
    };
    const shelves = this.#shelves[severity];
    const rank = RULE_RANK.get(ruleId) ?? 0;
    const shelf = shelves[rank];
    if (shelf === undefined) shelves[rank] = [finding];
    else shelf.push(finding);
  }

  findings(): readonly Finding[] {
    const all: Finding[] = [];
    for (const severity of SEVERITIES) {
      for (const shelf of this.#shelves[severity]) if (shelf !== undefined) all.push(...shelf);
    }
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

function wayOutBy(alternatives: readonly ListingId[]): WayOut {
  if (alternatives.length === 0) return NO_WAY_OUT;
  let ids = '';
  for (const id of alternatives) ids += ids === '' ? id : `, ${id}`;
  return { alternatives, hint: ` Allowed under the same facts: ${ids}.` };
}
