import { sha256Hex } from '../../shared/bytes.js';
import { canonicalJson, type JsonValue } from '../../shared/canonical-json.js';
import { ColophonError } from '../../shared/errors.js';
import { canonicalFacts, canonicalLineage, type DecisionInput } from './decision-input.js';
import { decidePrepared, type DecisionResult, prepareLineage } from './engine.js';
import { ENGINE_VERSION, type EngineVersion } from './engine-version.js';
import { type Decision, type Finding, type Obligation } from './finding.js';
import { type Lineage } from './lineage.js';
import { type PolicyBasis, type PolicyOrigin } from './policies/policy.js';
import { type ListingIndex } from './listing-index.js';
import { type AudiencelessFacts, type RunFacts } from './run-facts.js';

/** At most so many cells: a second of work, in which other requests are answered. */
export const MAX_MATRIX_CELLS = 1_000;
/**
 * Everything that is looked at in all cells together: each cell is decided and hashed as a whole. The largest matrix
 * takes some three seconds, in which other requests are answered; 1,000 cells of a pipeline with 20 models are far below.
 */
export const MAX_MATRIX_PARTS = 100_000;
/** Names in a list cost little each. */
const NAMES_PER_PART = 10;

/** What is looked at in one cell: components, inputs with their signals and releases, and what these list. */
export function partsOfLineage({ components, inputs }: Lineage): number {
  let parts = components.length;
  for (const { optionalComponents = {} } of components) parts += Object.keys(optionalComponents).length;
  for (const { fileSignals = [], releases, territory, goesInto = [] } of inputs) {
    parts += 1 + fileSignals.length + listed(territory) + listed(goesInto);
    for (const release of releases) parts += 1 + listed(release.territory ?? []);
  }
  return parts;
}

function listed(names: string | readonly string[]): number {
  return typeof names === 'string' ? 0 : Math.floor(names.length / NAMES_PER_PART);
}

/** Several ways of making a work, each to be shown to several audiences, for one or more purposes. */
export interface MatrixQuestion {
  readonly alternatives: readonly { readonly name: string; readonly lineage: Lineage }[];
  readonly audiences: readonly { readonly name: string; readonly countries: RunFacts['audienceCountries'] }[];
  readonly purposes: readonly RunFacts['purpose'][];
  readonly facts: AudiencelessFacts;
}

export interface MatrixCell {
  readonly alternative: string;
  readonly audience: string;
  readonly purpose: RunFacts['purpose'];
  readonly result: DecisionResult;
}

/** Every cell rests on this; the hash of it, in canonical JSON, is in the log. */
export interface MatrixInput extends MatrixQuestion {
  readonly v: 1;
  readonly engineVersion: string;
  /** Of all alternatives together: `[id, sha256]`, sorted; the hash is null for what the registry does not know. */
  readonly listings: DecisionInput['listings'];
  readonly registrySha256: string;
  /** Policies of the organization that every cell was asked of, after the licenses; absent when there were none. */
  readonly policies?: MatrixPolicies | undefined;
}

/** What is common to all cells. What the licenses alone say of a cell follows from the rest. */
export interface MatrixPolicies extends Omit<PolicyBasis, 'licenseDecision' | 'matches' | 'origins'> {
  /** By the name of an alternative: policies of other projects from which its inputs come. */
  readonly originsOf?: Readonly<Record<string, readonly PolicyOrigin[]>>;
}

/**
 * With what stands behind its inputs a question can be larger than it was asked.
 *
 * @throws ColophonError `pipeline_too_large`
 */
export function requireDecidableMatrix({ alternatives, audiences, purposes }: MatrixQuestion): void {
  const each = alternatives.reduce((sum, { lineage }) => sum + partsOfLineage(lineage), 0);
  const parts = each * audiences.length * purposes.length;
  if (parts <= MAX_MATRIX_PARTS) return;
  throw new ColophonError(
    'pipeline_too_large',
    `With what its inputs were made from, the matrix has ${parts} components, inputs, releases and signals in all cells; the limit is ${MAX_MATRIX_PARTS}. Ask in parts.`,
  );
}

/** The facts of one cell, exactly as a caller would state them for it alone. */
export function factsOfCell(
  facts: AudiencelessFacts,
  purpose: RunFacts['purpose'],
  countries: RunFacts['audienceCountries'],
): RunFacts {
  return { ...facts, purpose, audienceCountries: countries };
}

/**
 * Cell by cell, each exactly what {@link decide} answers for it alone: by alternative, then audience, then purpose, in
 * the order of the question.
 */
export function* decideMatrix(
  question: MatrixQuestion,
  listings: ListingIndex,
  engineVersion: EngineVersion = ENGINE_VERSION,
): Generator<MatrixCell> {
  for (const { name: alternative, lineage } of question.alternatives) {
    const prepared = prepareLineage(lineage, listings);
    for (const { name: audience, countries } of question.audiences) {
      for (const purpose of question.purposes) {
        const facts = factsOfCell(question.facts, purpose, countries);
        const result = decidePrepared(prepared, facts, engineVersion);
        yield { alternative, audience, purpose, result };
      }
    }
  }
}

/** One form for one question, and the listings that took part. */
export function matrixInput(
  question: MatrixQuestion,
  cells: readonly MatrixCell[],
  policies: MatrixPolicies | undefined,
): MatrixInput {
  const listings = new Map(cells.flatMap(({ result }) => result.input.listings));
  return {
    v: 1,
    engineVersion: ENGINE_VERSION,
    alternatives: question.alternatives.map(({ name, lineage }) => ({
      name,
      lineage: canonicalLineage(lineage),
    })),
    audiences: question.audiences.map(({ name, countries }) => ({
      name,
      countries: countries === 'worldwide' ? countries : [...new Set(countries)].sort(),
    })),
    purposes: question.purposes,
    facts: withoutAudience(canonicalFacts({ ...question.facts, audienceCountries: 'worldwide' })),
    listings: [...listings].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)),
    registrySha256: cells[0]?.result.input.registrySha256 ?? '',
    ...(policies === undefined ? {} : { policies }),
  };
}

function withoutAudience({ audienceCountries: _each, ...facts }: RunFacts): AudiencelessFacts {
  return facts;
}

/** The findings that decide; notes inform and are the same as in a question about the cell alone. */
export function decidingFindings({ findings }: DecisionResult): readonly Finding[] {
  return findings.filter(({ severity }) => severity !== 'note');
}

export function countDecisions(cells: readonly MatrixCell[]): Readonly<Record<Decision, number>> {
  const counts = { allow: 0, review: 0, deny: 0 };
  for (const { result } of cells) counts[result.decision] += 1;
  return counts;
}

/** Gives equal things one place in a list: cells of one lineage say much the same. */
export class Interned<Item extends object> {
  readonly items: Item[] = [];
  readonly #places = new Map<string, number>();
  /** What was written as text once need not be again. */
  readonly #seen = new WeakMap<Item, number>();

  place(item: Item): number {
    const seen = this.#seen.get(item);
    if (seen !== undefined) return seen;
    const key = JSON.stringify(item);
    const place = this.#places.get(key) ?? this.items.push(item) - 1;
    this.#places.set(key, place);
    this.#seen.set(item, place);
    return place;
  }
}

/**
 * SHA-256 of what follows from the input alone: decisions, deciding findings, obligations, indemnities and the hashes of
 * each cell. Proposed alternatives depend on the whole registry of the day, so they and the sentence that names them are
 * left out, as in the replay of a single decision.
 */
export function matrixResultSha256(cells: readonly MatrixCell[]): string {
  const findings = new Interned<object>();
  const obligations = new Interned<Obligation>();
  const lastingOf = lastingParts();
  const lasting = cells.map(({ result, ...cell }) => ({
    ...cell,
    decision: result.decision,
    findings: decidingFindings(result).map((finding) => findings.place(lastingOf(finding))),
    obligations: result.obligations.map((obligation) => obligations.place(obligation)),
    indemnity: result.indemnity,
    inputSha256: result.inputSha256,
    termsSha256: result.termsSha256,
  }));
  const all = { v: 1, cells: lasting, findings: findings.items, obligations: obligations.items };
  return sha256Hex(canonicalJson(all as unknown as JsonValue));
}

/** Cells share what they find, so each is taken apart once. */
function lastingParts(): (finding: Finding) => object {
  const known = new Map<Finding, object>();
  return (finding) => {
    const lasting = known.get(finding) ?? lastingPart(finding);
    known.set(finding, lasting);
    return lasting;
  };
}

function lastingPart({ alternatives: _other, howToFix: _sentence, ...lasting }: Finding): object {
  return lasting;
}
