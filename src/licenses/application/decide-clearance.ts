import { type AppendEntry } from '../../audit/application/append-entry.js';
import { type Tx } from '../../database/organization-tx.js';
import { actorOf } from '../../identity/application/actor.js';
import { type Principal } from '../../identity/domain/principal.js';
import { canonicalJson, type JsonValue } from '../../shared/canonical-json.js';
import { type Clock } from '../../shared/clock.js';
import { newId, publicId } from '../../shared/ids.js';
import { decide, type DecisionResult, ENGINE_VERSION } from '../domain/engine.js';
import { type Lineage } from '../domain/lineage.js';
import { type ListingIndex } from '../domain/listing-index.js';
import { type RunFacts } from '../domain/run-facts.js';

export interface Clearance extends Pick<
  DecisionResult,
  'decision' | 'findings' | 'obligations' | 'engineVersion' | 'termsSha256' | 'inputSha256'
> {
  readonly id: string;
  readonly createdAt: Date;
}

/** An entry names at most so many findings; the decision itself keeps all of them. */
const MAX_LOGGED_FINDINGS = 100;

/** Decides and records: the canonical input, the result, and the entry, in the caller's transaction. */
export class DecideClearance {
  constructor(
    private readonly listings: ListingIndex,
    private readonly appendEntry: AppendEntry,
    private readonly clock: Clock,
  ) {}

  /** Pure. Decide first, so that the caller's transaction stays short. */
  decide(lineage: Lineage, facts: RunFacts): DecisionResult {
    return decide({ lineage, facts, listings: this.listings, engineVersion: ENGINE_VERSION });
  }

  async record(tx: Tx, principal: Principal, result: DecisionResult): Promise<Clearance> {
    const { input, ...outcome } = result;
    const clearance: Clearance = { ...outcome, id: newId(), createdAt: this.clock.now() };
    await tx.query(
      `INSERT INTO clearance (organization_id, id, decision, input, result, created_by, created_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7)`,
      [
        tx.organizationId,
        clearance.id,
        result.decision,
        canonicalJson(input as unknown as JsonValue),
        canonicalJson(outcome as unknown as JsonValue),
        principal.principalId,
        clearance.createdAt,
      ],
    );
    await this.appendEntry.append(tx, {
      type: 'clearance.decided',
      actor: actorOf(principal),
      subject: { kind: 'clearance', id: publicId('clearance', clearance.id) },
      data: {
        decision: result.decision,
        engineVersion: result.engineVersion,
        termsSha256: result.termsSha256,
        inputSha256: result.inputSha256,
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
