import { sha256Hex } from '../../shared/bytes.js';
import { alternativesFinder } from './alternatives.js';
import { Collector, optionalNote } from './collector.js';
import {
  canonicalFacts,
  canonicalLineage,
  type DecisionInput,
  inputJson,
  lineageJson,
  usedListings,
  type UsedListings,
} from './decision-input.js';
import { ENGINE_VERSION, type EngineVersion, isEngineVersion, isSince } from './engine-version.js';
import { expandLineage, type ExpandedLineage } from './expand-lineage.js';
import { type Decision, type Finding, type Obligation } from './finding.js';
import { indemnityOf, type IndemnityStatus } from './indemnity-status.js';
import { obligationsOfInputs } from './input-obligations.js';
import { type Lineage } from './lineage.js';
import { type ListingIndex } from './listing-index.js';
import { type RunFacts } from './run-facts.js';
import { evaluate } from './rules/all-rules.js';
import { prepareFacts } from './rules/rule.js';

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
  /** One for each model of the lineage. It informs; a policy may demand that one is intact. */
  readonly indemnity: readonly IndemnityStatus[];
  readonly engineVersion: EngineVersion;
  /** SHA-256 over the (id, hash) pairs of all listings that took part, hidden components included. */
  readonly termsSha256: string;
  /** SHA-256 of {@link DecisionResult.input} in canonical JSON. */
  readonly inputSha256: string;
  /** Store `canonicalJson(input)` with the decision: with the listings it names it gives the same result again. */
  readonly input: DecisionInput;
}

/** What a decision needs of a lineage, whatever the facts: for one pipeline against many countries. */
export interface PreparedLineage {
  readonly expanded: ExpandedLineage;
  readonly listings: ListingIndex;
  readonly lineage: Lineage;
  readonly lineageJson: string;
  readonly used: UsedListings;
  readonly termsSha256: string;
  readonly obligations: readonly Obligation[];
  /** What rules of 2.3.0 and 2.4.0, and those since 2.5.0, add to them. */
  readonly obligationsOfInputs: Readonly<Record<'2.3.0' | '2.5.0', readonly Obligation[]>>;
}

/** Copies what it needs: a later change of `lineage` changes nothing. */
export function prepareLineage(given: Lineage, listings: ListingIndex): PreparedLineage {
  const lineage = canonicalLineage(given);
  const expanded = expandLineage(lineage, listings);
  const used = usedListings(expanded);
  return {
    expanded,
    listings,
    lineage,
    lineageJson: lineageJson(lineage),
    used,
    termsSha256: sha256Hex(used.json),
    obligations: obligationsOf(expanded),
    obligationsOfInputs: {
      '2.3.0': obligationsOfInputs(expanded, '2.3.0'),
      '2.5.0': obligationsOfInputs(expanded, '2.5.0'),
    },
  };
}

/**
 * May this lineage be used under these facts?
 *
 * Pure and total: no clock, no I/O, the same arguments give the same bytes. The effective license is the
 * conjunction over the whole lineage with hidden components, in three-valued logic: one `deny` denies, one unknown
 * sends to review, and only a lineage without either is allowed.
 * @throws RangeError when asked for rules that this program does not have.
 */
export function decide({ lineage, facts, listings, engineVersion }: DecideArguments): DecisionResult {
  // The type allows no other, but a stored decision may come from another release.
  const asked: string = engineVersion;
  if (!isEngineVersion(asked)) throw new RangeError(`this is engine ${ENGINE_VERSION}, not ${asked}`);
  return decidePrepared(prepareLineage(lineage, listings), facts, asked);
}

/** The same as {@link decide}, for a lineage that is decided many times. */
export function decidePrepared(
  prepared: PreparedLineage,
  given: RunFacts,
  engineVersion: EngineVersion = ENGINE_VERSION,
): DecisionResult {
  const { expanded, listings, lineage, used, termsSha256 } = prepared;
  const facts = canonicalFacts(given);
  const preparedFacts = prepareFacts(facts, engineVersion);
  const collector = new Collector(alternativesFinder(expanded, preparedFacts, listings));
  evaluate(expanded, preparedFacts, collector);
  const input: DecisionInput = {
    engineVersion,
    facts,
    lineage,
    listings: used.listings,
    registrySha256: listings.sha256,
    v: 2,
  };
  return {
    decision: collector.decision,
    findings: collector.findings(),
    obligations: owedUnder(prepared, engineVersion),
    indemnity: indemnityOf(expanded, facts, engineVersion),
    engineVersion,
    termsSha256,
    inputSha256: sha256Hex(inputJson(input, prepared.lineageJson, used)),
    input,
  };
}

function owedUnder(
  { obligations, obligationsOfInputs: ofInputs }: PreparedLineage,
  version: EngineVersion,
): readonly Obligation[] {
  if (!isSince('2.3.0', version)) return obligations;
  return obligations.concat(ofInputs[isSince('2.5.0', version) ? '2.5.0' : '2.3.0']);
}

/** By listing id, then in the order of the listing's terms. */
function obligationsOf({ subjects }: ExpandedLineage): readonly Obligation[] {
  const owed: Obligation[] = [];
  for (const subject of subjects) {
    const { obligations } = subject.entry;
    const condition = optionalNote(subject);
    if (condition === '') owed.push(...obligations);
    else owed.push(...obligations.map((duty) => ({ ...duty, text: condition + duty.text })));
  }
  return owed;
}
