import { type AppendEntry } from '../../audit/application/append-entry.js';
import { commitTo, newSalt } from '../../audit/core/commitment.js';
import { MAX_POLICIES_IN_ENTRY } from '../../audit/core/entries/license-entries.js';
import { sqlState, type Tx } from '../../database/organization-tx.js';
import { actorOf } from '../../identity/application/actor.js';
import { type Principal } from '../../identity/domain/principal.js';
import { canonicalBytes, canonicalJson, type JsonValue } from '../../shared/canonical-json.js';
import { type Clock } from '../../shared/clock.js';
import { newId, publicId } from '../../shared/ids.js';
import { type DecisionBasis, decisionBasis } from '../domain/decision-basis.js';
import { decide, type DecisionResult } from '../domain/engine.js';
import { ENGINE_VERSION } from '../domain/engine-version.js';
import { type Lineage } from '../domain/lineage.js';
import { type RegistryState } from '../domain/registry-state.js';
import { type OutcomeJson, outcomeJson } from '../domain/outcome-json.js';
import { type RunFacts } from '../domain/run-facts.js';
import { storedOutcomeJson } from '../domain/stored-outcome.js';
import { basisSha256 } from '../domain/policies/decide-policies.js';
import { type PolicyBasis } from '../domain/policies/policy.js';
import { type AskPolicies, type Asked } from './ask-policies.js';
import { type EffectiveRegistry } from './effective-registry.js';
import { type PolicyUse } from './policies-in-force.js';
import { type RecordBasis } from './record-basis.js';

export interface Clearance extends Pick<
  DecisionResult,
  'decision' | 'findings' | 'obligations' | 'indemnity' | 'engineVersion' | 'termsSha256' | 'inputSha256'
> {
  readonly id: string;
  readonly createdAt: Date;
  /** Policies of the organization that were asked, too; absent when there were none. */
  readonly policies?: PolicyBasis | undefined;
}

/** With what it says as JSON, so that whoever answers need not write it once more. */
export interface RecordedClearance extends Clearance {
  readonly json: OutcomeJson;
}

/** A decision with the registry on which it rests. It holds that registry until its transaction ends. */
export interface Decided {
  /** Of licenses and policies together. */
  readonly result: DecisionResult;
  readonly registry: RegistryState;
  readonly policies: PolicyBasis | undefined;
  /** UUIDs of the projects from which its inputs come. */
  readonly originProjectIds: readonly string[];
}

/** What a decision is for, beside the person who asked. */
export interface ClearanceScope {
  /** For a run: waivers of findings are for a project, and perhaps one use case of it. */
  readonly use?: PolicyUse | undefined;
  /** The first decision (UUID), when this one takes its place. */
  readonly renews?: string;
}

/** An entry names at most so many findings; the decision itself keeps all of them. */
const MAX_LOGGED_FINDINGS = 100;

/** Decides and records: the canonical input, the result, what they rest on, and the entry, in one transaction. */
export class DecideClearance {
  constructor(
    private readonly registry: EffectiveRegistry,
    private readonly recordBasis: RecordBasis,
    private readonly policies: AskPolicies,
    private readonly appendEntry: AppendEntry,
    private readonly clock: Clock,
  ) {}

  /** Decides with the registry as it is until `tx` ends, so that what is recorded never rests on an older one. */
  async decide(tx: Tx, lineage: Lineage, facts: RunFacts, asked: Asked): Promise<Decided> {
    const registry = await this.registry.within(tx);
    const { index: listings } = registry;
    const license = decide({ lineage, facts, listings, engineVersion: ENGINE_VERSION });
    const { basis, ...outcome } = await this.policies.generate(
      tx,
      { lineage, facts, listings },
      license,
      asked,
    );
    const originProjectIds = [...new Set(asked.originProjectIds ?? [])];
    return { result: { ...license, ...outcome }, registry, policies: basis, originProjectIds };
  }

  async record(
    tx: Tx,
    principal: Principal,
    { result, registry, policies, originProjectIds }: Decided,
    scope: ClearanceScope = {},
  ): Promise<RecordedClearance> {
    const { decision, findings, obligations, indemnity, engineVersion, termsSha256, inputSha256 } = result;
    const said = { decision, findings, obligations, indemnity, engineVersion, termsSha256, inputSha256 };
    const asked = policies === undefined ? {} : { policies };
    const clearance: Clearance = { ...said, ...asked, id: newId(), createdAt: this.clock.now() };
    const basis = decisionBasis(result, registry.index);
    const first = await this.recordBasis.firstOf(tx, basis);
    const recorded = {
      principal,
      result,
      registry,
      policies,
      originProjectIds,
      scope,
      basis,
      first,
      inputSalt: newSalt(),
    };
    // Its entry and its answer are made while the database writes it; nobody gets either before the commit.
    await this.insert(tx, clearance, recorded);
    return { ...clearance, json: await this.putIntoWords(tx, clearance, recorded) };
  }

  /** The entry is written by the last statement of the transaction. */
  private async putIntoWords(
    tx: Tx,
    clearance: Clearance,
    { principal, result, policies, scope, inputSalt }: Recorded,
  ): Promise<OutcomeJson> {
    await this.appendEntry.append(tx, {
      type: 'clearance.decided',
      actor: actorOf(principal),
      subject: { kind: 'clearance', id: publicId('clearance', clearance.id) },
      data: {
        decision: result.decision,
        engineVersion: result.engineVersion,
        termsSha256: result.termsSha256,
        ...(scope.renews === undefined ? {} : { renews: publicId('clearance', scope.renews) }),
        ...(policies === undefined ? {} : { policies: loggedBasis(policies) }),
        findings: result.findings.slice(0, MAX_LOGGED_FINDINGS).map(({ ruleId, severity, listingId }) => ({
          ruleId,
          severity,
          listingId: listingId ?? 'none',
        })),
      },
      committed: { input: commitTo({ salt: inputSalt, value: result.inputSha256 }) },
    });
    return outcomeJson(clearance);
  }

  /** What listings say anyway, and what other decisions rest on, too, is stored once, and named here. */
  private async insert(tx: Tx, { id, createdAt }: Clearance, recorded: Recorded): Promise<void> {
    const { principal, result, registry, policies, originProjectIds, scope, basis, first, inputSalt } =
      recorded;
    const outcome = storedOutcomeJson(result, basis.outlooks, policiesJson(policies));
    tx.send(
      `INSERT INTO clearance
           (organization_id, id, decision, input, outcome, basis_sha256, basis_id, registry_version, renews, project_id,
            use_case_id, created_by, created_at, origin_project_ids, input_salt)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
      [
        tx.organizationId,
        id,
        result.decision,
        canonicalJson(result.input),
        canonicalBytes(outcome),
        first === undefined ? basis.sha256 : null,
        first ?? null,
        registry.version,
        scope.renews ?? null,
        scope.use?.projectId ?? null,
        scope.use?.useCaseId ?? null,
        principal.principalId,
        createdAt,
        originProjectIds,
        inputSalt,
      ],
      (error) => {
        // What it names is not there: nothing is recorded, and the next decision looks it up.
        if (sqlState(error) === FOREIGN_KEY_VIOLATION) this.recordBasis.forget();
        return error;
      },
    );
    if (first === undefined) await this.recordBasis.record(tx, id, basis);
    await this.recordBasis.recordSeed(tx);
  }
}

/** foreign_key_violation */
const FOREIGN_KEY_VIOLATION = '23503';

interface Recorded extends Decided {
  readonly principal: Principal;
  readonly scope: ClearanceScope;
  readonly basis: DecisionBasis;
  /** With it and the hash of the input the commitment in the log is opened. */
  readonly inputSalt: Buffer;
  /** The decision (UUID) that was the first to rest on it. */
  readonly first: string | undefined;
}

function policiesJson(policies: PolicyBasis | undefined): string | undefined {
  return policies && canonicalJson(policies as unknown as JsonValue).toString('utf8');
}

function loggedBasis(basis: PolicyBasis) {
  const { matches } = basis;
  const refs = [...basis.refs, ...(basis.origins ?? []).flatMap((origin) => origin.refs)];
  // Of many, the first ones; basisSha256 fixes all of them.
  return {
    refs: refs
      .slice(0, MAX_POLICIES_IN_ENTRY)
      .map(({ kind, scope, version, sha256 }) => ({ kind, scope, version, sha256 })),
    basisSha256: basisSha256(basis),
    blockedTermMatches: matches.length,
  };
}
