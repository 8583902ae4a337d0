import { type AppendEntry } from '../../audit/application/append-entry.js';
import { type Tx } from '../../database/organization-tx.js';
import { actorOf } from '../../identity/application/actor.js';
import { type Principal } from '../../identity/domain/principal.js';
import { sha256Hex } from '../../shared/bytes.js';
import { canonicalJson, type JsonValue } from '../../shared/canonical-json.js';
import { type Clock } from '../../shared/clock.js';
import { newId, publicId } from '../../shared/ids.js';
import { ENGINE_VERSION, type EngineVersion } from '../domain/engine-version.js';
import { type ListingIndex } from '../domain/listing-index.js';
import {
  countDecisions,
  decideMatrix,
  type MatrixCell,
  matrixInput,
  type MatrixInput,
  type MatrixPolicies,
  type MatrixQuestion,
  matrixResultSha256,
  requireDecidableMatrix,
} from '../domain/matrix.js';
import { type PolicyOrigin } from '../domain/policies/policy.js';
import { type RegistryState } from '../domain/registry-state.js';
import { SharedFindings } from '../domain/shared-findings.js';
import { type Asked, type AskPolicies, type Work } from './ask-policies.js';
import { type EffectiveRegistry } from './effective-registry.js';
import { type RecordBasis } from './record-basis.js';
import { turns } from './turns.js';

export interface DecidedMatrix {
  /** UUID. */
  readonly id: string;
  readonly input: MatrixInput;
  readonly inputSha256: string;
  readonly resultSha256: string;
  readonly cells: readonly MatrixCell[];
  readonly createdAt: Date;
}

/** Who asks, and from which projects (UUIDs) the inputs of each alternative come. */
export interface AskedMatrix extends Omit<Asked, 'originProjectIds'> {
  readonly origins: ReadonlyMap<string, readonly string[]>;
}

/**
 * Answers many questions at once with the engine that answers one, and records them as one: the question with the
 * listings it rests on, the hash of all answers, and one entry.
 */
export class DecideMatrix {
  constructor(
    private readonly registry: EffectiveRegistry,
    private readonly recordBasis: RecordBasis,
    private readonly policies: AskPolicies,
    private readonly appendEntry: AppendEntry,
    private readonly clock: Clock,
  ) {}

  async decide(
    tx: Tx,
    principal: Principal,
    question: MatrixQuestion,
    asked: AskedMatrix,
  ): Promise<DecidedMatrix> {
    requireDecidableMatrix(question);
    const registry = await this.registry.within(tx);
    const licensed = await answerAll(question, registry.index);
    const policies = await this.policiesOf(tx, question, licensed, registry.index, asked);
    const cells = await askPoliciesOfAll(tx, this.policies, licensed, registry.index, policies);
    const input = matrixInput(question, cells, policies);
    const bytes = canonicalJson(input as unknown as JsonValue);
    const decided: DecidedMatrix = {
      id: newId(),
      input,
      inputSha256: sha256Hex(bytes),
      resultSha256: matrixResultSha256(cells),
      cells,
      createdAt: this.clock.now(),
    };
    await this.insert(tx, principal, decided, bytes, registry);
    await this.appendEntry.append(tx, {
      type: 'clearance.matrix_decided',
      actor: actorOf(principal),
      subject: { kind: 'clearance_matrix', id: publicId('clearanceMatrix', decided.id) },
      data: {
        engineVersion: ENGINE_VERSION,
        inputSha256: decided.inputSha256,
        resultSha256: decided.resultSha256,
        cells: cells.length,
        ...countDecisions(cells),
      },
    });
    return decided;
  }

  /** Those that apply here apply to every cell; those of the projects of its inputs to each cell of an alternative. */
  private async policiesOf(
    tx: Tx,
    { alternatives }: MatrixQuestion,
    cells: readonly MatrixCell[],
    listings: ListingIndex,
    { origins, ...asked }: AskedMatrix,
  ): Promise<MatrixPolicies | undefined> {
    let common: MatrixPolicies | undefined;
    const found = new Map<string, readonly PolicyOrigin[]>();
    for (const [at, { name }] of alternatives.entries()) {
      const originProjectIds = origins.get(name) ?? [];
      const cell = cells.find(({ alternative }) => alternative === name);
      if (cell === undefined || (at > 0 && originProjectIds.length === 0)) continue;
      const question = { ...asked, originProjectIds };
      const { basis } = await this.policies.generate(tx, workOf(cell, listings), cell.result, question);
      if (basis === undefined) continue;
      const { v, engine, schemaSha256, question: who, refs } = basis;
      common ??= { v, engine, schemaSha256, question: who, refs };
      if (basis.origins !== undefined) found.set(name, basis.origins);
    }
    // Names are of the caller's choosing, `__proto__` too: entries become members of their own.
    return common && (found.size === 0 ? common : { ...common, originsOf: Object.fromEntries(found) });
  }

  private async insert(
    tx: Tx,
    principal: Principal,
    { id, input, resultSha256, cells, createdAt }: DecidedMatrix,
    bytes: Buffer,
    registry: RegistryState,
  ): Promise<void> {
    const { allow, review, deny } = countDecisions(cells);
    await tx.query(
      `INSERT INTO clearance_matrix (organization_id, id, input, result_sha256, engine_version, allowed, reviewed, denied,
                                     registry_version, created_by, created_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
      [
        tx.organizationId,
        id,
        bytes,
        resultSha256,
        ENGINE_VERSION,
        allow,
        review,
        deny,
        registry.version,
        principal.principalId,
        createdAt,
      ],
    );
    const used = input.listings.flatMap(([listing]) => registry.index.get(listing) ?? []);
    await this.recordBasis.archive(tx, used);
    await this.recordBasis.recordSeed(tx);
  }
}

/** Each cell as the policies leave it: never milder than the licenses. */
export async function askPoliciesOfAll(
  tx: Tx,
  asker: AskPolicies,
  cells: readonly MatrixCell[],
  listings: ListingIndex,
  policies: MatrixPolicies | undefined,
): Promise<readonly MatrixCell[]> {
  if (policies === undefined) return cells;
  const asked: MatrixCell[] = [];
  const turn = turns();
  for (const cell of cells) {
    const { originsOf = {}, ...common } = policies;
    const origins = Object.hasOwn(originsOf, cell.alternative) ? originsOf[cell.alternative] : undefined;
    const basis = {
      ...common,
      ...(origins === undefined ? {} : { origins }),
      licenseDecision: cell.result.decision,
      matches: [],
    };
    const outcome = await asker.again(tx, workOf(cell, listings), cell.result, basis);
    asked.push({ ...cell, result: { ...cell.result, ...outcome } });
    await turn();
  }
  return asked;
}

function workOf({ result }: MatrixCell, listings: ListingIndex): Work {
  const { lineage, facts } = result.input;
  return { lineage, facts, listings, engineVersion: result.engineVersion };
}

/** What the licenses say. */
export async function answerAll(
  question: MatrixQuestion,
  listings: ListingIndex,
  engineVersion: EngineVersion = ENGINE_VERSION,
): Promise<MatrixCell[]> {
  const cells: MatrixCell[] = [];
  const turn = turns();
  const found = new SharedFindings();
  for (const { result, ...cell } of decideMatrix(question, listings, engineVersion)) {
    const findings = result.findings.map((finding) => found.first(finding));
    cells.push({ ...cell, result: { ...result, findings } });
    await turn();
  }
  return cells;
}
