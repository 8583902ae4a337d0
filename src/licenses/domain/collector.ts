import { type Subject } from './expand-lineage.js';
import { type Decision, type Finding, type Severity } from './finding.js';
import { type ListingId } from './listing.js';
import {
  type FindingDraft,
  type PreparedFinding,
  type Report,
  settled,
  type SettledFinding,
} from './rules/rule.js';

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

/** By rank of the rule. */
type Shelves = (Finding[] | undefined)[];

/**
 * Gathers what the rules say. Findings come out by severity, then by rule, then in the order in which the rules spoke;
 * that is the sorted order of listings and inputs, so the input alone decides it.
 */
export class Collector implements Report {
  readonly #alternativesTo: (subject: Subject) => readonly ListingId[];
  readonly #denials: Shelves = [];
  readonly #reviews: Shelves = [];
  readonly #notes: Shelves = [];
  readonly #saidWithoutSubject = new Set<string>();
  /** Rules speak about one subject after the other. */
  #latest: Matter | undefined;

  constructor(alternativesTo: (subject: Subject) => readonly ListingId[]) {
    this.#alternativesTo = alternativesTo;
  }

  get decision(): Decision {
    if (this.#denials.length > 0) return 'deny';
    return this.#reviews.length > 0 ? 'review' : 'allow';
  }

  finding(draft: FindingDraft): void {
    const { subject } = draft;
    if (subject) this.prepared(subject, draft);
    // Two inputs without an asset id may say the same; a listing speaks only once per rule, term and fact.
    else if (!this.#alreadySaid(draft)) {
      const { listingId, stepKeys, via } = draft;
      const place = { listingId: listingId ?? null, stepKeys: inOrder(stepKeys), via: inOrder(via) };
      this.#add(settled(draft), draft.severity, place, draft.message, NO_WAY_OUT);
    }
  }

  prepared(subject: Subject, finding: PreparedFinding): void {
    this.settled(subject, settled(finding, subject.entry));
  }

  settled(subject: Subject, finding: SettledFinding): void {
    const matter = this.#matterOf(subject);
    const severity = severityFor(subject, finding.severity);
    const message = matter.condition === '' ? finding.message : matter.condition + finding.message;
    const wayOut =
      severity === 'note' ? NO_WAY_OUT : (matter.wayOut ??= wayOutBy(this.#alternativesTo(subject)));
    this.#add(finding, severity, matter, message, wayOut);
  }

  #add(
    { rank, ruleId, fact, howToFix, cited }: SettledFinding,
    severity: Severity,
    { listingId, stepKeys, via }: Place,
    message: string,
    { alternatives, hint }: WayOut,
  ): void {
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
      term: cited,
      via,
    };
    const shelves = this.#shelvesOf(severity);
    const shelf = shelves[rank];
    if (shelf === undefined) shelves[rank] = [finding];
    else shelf.push(finding);
  }

  #shelvesOf(severity: Severity): Shelves {
    if (severity === 'note') return this.#notes;
    return severity === 'deny' ? this.#denials : this.#reviews;
  }

  findings(): readonly Finding[] {
    const all: Finding[] = [];
    for (const shelves of [this.#denials, this.#reviews, this.#notes])
      for (const shelf of shelves) if (shelf !== undefined) all.push(...shelf);
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
      stepKeys: inOrder(stepKeys),
      via: inOrder(via),
    };
    this.#latest = matter;
    return matter;
  }
}

/** Kleene: "perhaps used" AND "not allowed" is unknown, and unknown is decided by a person. */
function severityFor({ used }: Subject, severity: Severity): Severity {
  return severity === 'deny' && used === 'unknown' ? 'review' : severity;
}

function inOrder(values: readonly string[] = NO_IDS): readonly string[] {
  const isInOrder = values.every((value, at) => at === 0 || (values[at - 1] ?? '') <= value);
  return isInOrder ? values : [...values].sort();
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
