import { type Subject } from './expand-lineage.js';
import { type Decision, type Finding, RULE_IDS, type RuleId, SEVERITIES, type Severity } from './finding.js';
import { type ListingId } from './listing.js';
import { type FindingDraft, type Report } from './rules/rule.js';

const SEVERITY_RANK = new Map<Severity, number>(SEVERITIES.map((severity, rank) => [severity, rank]));
const RULE_RANK = new Map<RuleId, number>(RULE_IDS.map((ruleId, rank) => [ruleId, rank]));
const NO_IDS: readonly string[] = [];

/** Gathers what the rules say and puts it into the one order that the input alone decides. */
export class Collector implements Report {
  readonly #findings = new Map<string, Finding>();
  readonly #alternativesTo: (subject: Subject) => readonly ListingId[];
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
    const severity = severityOf(draft);
    if (severity === 'deny') this.#denied = true;
    if (severity === 'review') this.#reviewed = true;
    const alternatives = severity === 'note' || !subject ? NO_IDS : this.#alternativesTo(subject);
    const finding: Finding = {
      ruleId: draft.ruleId,
      severity,
      ...(subject ? placeOf(subject) : placeWithoutSubject(draft)),
      term: (draft.term && subject?.entry.citedTerms.get(draft.term)) ?? null,
      fact: draft.fact,
      message: optionalNote(subject) + draft.message,
      howToFix: withAlternatives(draft.howToFix, alternatives),
      alternatives,
    };
    this.#findings.set(sortKey(finding), finding);
  }

  findings(): readonly Finding[] {
    return inKeyOrder(this.#findings);
  }
}

/** Kleene: "perhaps used" AND "not allowed" is unknown, and unknown is decided by a person. */
function severityOf({ severity, subject }: FindingDraft): Severity {
  return severity === 'deny' && subject?.used === 'unknown' ? 'review' : severity;
}

type Place = Pick<Finding, 'listingId' | 'stepKeys' | 'via'>;

function placeOf({ entry, stepKeys, via }: Subject): Place {
  return { listingId: entry.listing.id, stepKeys: sorted(stepKeys), via: sorted(via) };
}

function placeWithoutSubject({ listingId, stepKeys, via }: FindingDraft): Place {
  return { listingId: listingId ?? null, stepKeys: sorted(stepKeys), via: sorted(via) };
}

function inKeyOrder<Value>(values: ReadonlyMap<string, Value>): readonly Value[] {
  return [...values.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value);
}

/** Two inputs without an asset id differ only in their facts, so the fact belongs to the key. */
function sortKey({ severity, ruleId, listingId, term, message, fact }: Finding): string {
  const rule = String(RULE_RANK.get(ruleId)).padStart(2, '0');
  return `${String(SEVERITY_RANK.get(severity))} ${rule} ${listingId ?? ''} ${term?.id ?? ''} ${message} ${String(fact.value)}`;
}

function sorted(values: ReadonlySet<string> | undefined): readonly string[] {
  return values === undefined || values.size === 0 ? NO_IDS : [...values].sort();
}

/** Words before everything that holds only if an optional component is used. */
export function optionalNote(subject: Subject | undefined): string {
  return subject?.used === 'unknown' ? 'If this optional component is used: ' : '';
}

function withAlternatives(howToFix: string, alternatives: readonly ListingId[]): string {
  if (alternatives.length === 0) return howToFix;
  return `${howToFix} Allowed under the same facts: ${alternatives.join(', ')}.`;
}
