import { type AppendEntry } from '../../audit/application/append-entry.js';
import { type Tx } from '../../database/organization-tx.js';
import { actorOf } from '../../identity/application/actor.js';
import { type Principal } from '../../identity/domain/principal.js';
import { canonicalJson, type JsonValue } from '../../shared/canonical-json.js';
import { type Clock } from '../../shared/clock.js';
import { newId, publicId } from '../../shared/ids.js';
import { decide, type DecisionResult, ENGINE_VERSION } from '../domain/engine.js';
import { type Lineage } from '../domain/lineage.js';
import { type RegistryState } from '../domain/registry-state.js';
import { type RunFacts } from '../domain/run-facts.js';
import { type EffectiveRegistry } from './effective-registry.js';
import { type RecordBasis } from './record-basis.js';

export interface Clearance extends Pick<
  DecisionResult,
  'decision' | 'findings' | 'obligations' | 'indemnity' | 'engineVersion' | 'termsSha256' | 'inputSha256'
> {
  readonly id: string;
  readonly createdAt: Date;
}

/** A decision with the registry on which it rests. It holds that registry until its transaction ends. */
export interface Decided {
  readonly result: DecisionResult;
  readonly registry: RegistryState;
}

/** What a decision is for, beside the person who asked. */
export interface ClearanceScope {
  /** For a run: waivers of findings are for a project, and perhaps one use case of it. UUIDs. */
  readonly use?: { readonly projectId: string; readonly useCaseId: string };
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
    private readonly appendEntry: AppendEntry,
    private readonly clock: Clock,
  ) {}

  /** Decides with the registry as it is until `tx` ends, so that what is recorded never rests on an older one. */
  async decide(tx: Tx, lineage: Lineage, facts: RunFacts): Promise<Decided> {
    const registry = await this.registry.within(tx);
    const result = decide({ lineage, facts, listings: registry.index, engineVersion: ENGINE_VERSION });
    return { result, registry };
  }

  async record(
    tx: Tx,
    principal: Principal,
    { result, registry }: Decided,
    scope: ClearanceScope = {},
  ): Promise<Clearance> {
    const { input, ...outcome } = result;
    const clearance: Clearance = { ...outcome, id: newId(), createdAt: this.clock.now() };
    await tx.query(
      `INSERT INTO clearance
         (organization_id, id, decision, input, result, registry_version, renews, project_id, use_case_id, created_by, created_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
      [
        tx.organizationId,
        clearance.id,
        result.decision,
        canonicalJson(input as unknown as JsonValue),
        canonicalJson(outcome as unknown as JsonValue),
        registry.version,
        scope.renews ?? null,
        scope.use?.projectId ?? null,
        scope.use?.useCaseId ?? null,
        principal.principalId,
        clearance.createdAt,
      ],
    );
    await this.recordBasis.record(tx, clearance.id, input.listings, registry);
    await this.appendEntry.append(tx, {
      type: 'clearance.decided',
      actor: actorOf(principal),
      subject: { kind: 'clearance', id: publicId('clearance', clearance.id) },
      data: {
        decision: result.decision,
        engineVersion: result.engineVersion,
        termsSha256: result.termsSha256,
        inputSha256: result.inputSha256,
        ...(scope.renews === undefined ? {} : { renews: publicId('clearance', scope.renews) }),
        findings: result.findings.slice(0, MAX_LOGGED_FINDINGS).map(({ ruleId, severity, listingId }) => ({
          ruleId,
          severity,
          listingId: listingId ?? 'none',
        })),
      },
    });
    return clearance;
  }
}
