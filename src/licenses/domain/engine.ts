import { sha256Hex } from '../../shared/bytes.js';
import { alternativesFinder } from './alternatives.js';
import { Collector, optionalNote } from './collector.js';
import { decisionInput, type DecisionInput } from './decision-input.js';
import { expandLineage, type ExpandedLineage } from './expand-lineage.js';
import { type Decision, type Finding, type Obligation } from './finding.js';
import { type Lineage } from './lineage.js';
import { type ListingIndex } from './listing-index.js';
import { type RunFacts } from './run-facts.js';
import { evaluate } from './rules/all-rules.js';
import { prepareFacts } from './rules/rule.js';

/**
 * Version of the rules. It changes whenever some input could get another decision, finding or obligation, so that
 * a stored decision says by which rules it was made.
 */
export const ENGINE_VERSION = '1.0.0';
export type EngineVersion = typeof ENGINE_VERSION;

export interface DecideArguments {
  readonly lineage: Lineage;
  readonly facts: RunFacts;
  readonly listings: ListingIndex;
  readonly engineVersion: EngineVersion;
}

export interface DecisionResult {
  readonly decision: Decision;
  /** `deny` first, then `review`, then `note`; the order depends on the input alone. */
  readonly findings: readonly Finding[];
  readonly obligations: readonly Obligation[];
  readonly engineVersion: EngineVersion;
  /** SHA-256 over the (id, hash) pairs of all listings that took part, hidden components included. */
  readonly termsSha256: string;
  /** SHA-256 of {@link DecisionResult.input} in canonical JSON. */
  readonly inputSha256: string;
  /** Store `canonicalJson(input)` with the decision: with the listings it names it gives the same result again. */
  readonly input: DecisionInput;
}

/**
 * May this lineage be used under these facts?
 *
 * Pure and total: no clock, no I/O, the same arguments give the same bytes. The effective license is the
 * conjunction over the whole lineage with hidden components, in three-valued logic: one `deny` denies, one unknown
 * sends to review, and only a lineage without either is allowed.
 * @throws RangeError when asked for another engine version than this one.
 */
export function decide({ lineage, facts, listings, engineVersion }: DecideArguments): DecisionResult {
  // The type allows no other, but a stored decision may come from another release.
  const asked: string = engineVersion;
  if (asked !== ENGINE_VERSION) throw new RangeError(`this is engine ${ENGINE_VERSION}, not ${asked}`);
  const expanded = expandLineage(lineage, listings);
  const prepared = prepareFacts(facts);
  const collector = new Collector(alternativesFinder(expanded, prepared, listings));
  evaluate(expanded, prepared, collector);
  const input = decisionInput({ lineage, facts, expanded, listings, engineVersion });
  return {
    decision: collector.decision,
    findings: collector.findings(),
    obligations: obligationsOf(expanded),
    engineVersion,
    termsSha256: sha256Hex(JSON.stringify(input.listings)),
    // The input is built in canonical order, so this is canonicalJson(input), only faster.
    inputSha256: sha256Hex(JSON.stringify(input)),
    input,
  };
}

/** By listing id, then in the order of the listing's terms. */
function obligationsOf({ subjects }: ExpandedLineage): readonly Obligation[] {
  const inOrder = [...subjects.values()].sort((a, b) => (a.entry.listing.id < b.entry.listing.id ? -1 : 1));
  return inOrder.flatMap((subject) => {
    const { obligations } = subject.entry;
    const condition = optionalNote(subject);
    return condition === ''
      ? obligations
      : obligations.map((duty) => ({ ...duty, text: condition + duty.text }));
  });
}
