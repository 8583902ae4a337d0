import { type Tx } from '../../database/organization-tx.js';
import { type Clock } from '../../shared/clock.js';
import { decisiveSha256 } from '../domain/decisive-facts.js';
import { type Finding } from '../domain/finding.js';
import { type RegistryState } from '../domain/registry-state.js';
import { type Basis, reopened, type Reopened } from '../domain/reopened.js';
import { type AskPolicies } from './ask-policies.js';
import { type EffectiveRegistry } from './effective-registry.js';
import { readLastDecision, type StoredClearance } from './read-clearance.js';

/** Whether what was cleared may go on. */
export type Standing =
  | { readonly kind: 'holds'; readonly last: StoredClearance }
  | { readonly kind: 'denied'; readonly last: StoredClearance & { readonly decision: 'deny' } }
  /** The last decision left questions open, and no waiver in force accepts all of them. */
  | { readonly kind: 'open'; readonly last: StoredClearance }
  /** What the last decision rests on has changed. */
  | { readonly kind: 'reopened'; readonly last: StoredClearance; readonly changes: readonly Reopened[] };

/**
 * A decision holds as long as what it rests on, and as long as no policy of today is stricter. Of a decision that was
 * made again the last one counts, and waivers count for the decision whose findings they accepted: so a waiver ends with
 * the text on which it rested.
 */
export class ClearanceStanding {
  constructor(
    private readonly registry: EffectiveRegistry,
    private readonly policies: AskPolicies,
    private readonly clock: Clock,
  ) {}

  /**
   * What it says holds until the transaction ends.
   * @param rootId the first decision, to which runs point
   * @throws ColophonError `not_found`
   */
  async of(tx: Tx, rootId: string): Promise<Standing> {
    const registry = await this.registry.within(tx);
    const last = await readLastDecision(tx, rootId);
    const changes = reopened(await basisOf(tx, last.id), last.registryVersion, registry);
    if (changes.length > 0) return { kind: 'reopened', last, changes };
    if (last.decision === 'deny') return { kind: 'denied', last: { ...last, decision: 'deny' } };
    const stricter = await this.policies.stricterToday(tx, last, registry.index);
    if (stricter.length > 0) {
      const reasons = stricter.map(({ ruleId }) => ({ because: 'policy', ruleId }) as const);
      return { kind: 'reopened', last, changes: reasons };
    }
    if (last.decision === 'allow') return { kind: 'holds', last };
    const accepted =
      (await this.isWaived(tx, rootId, last.id)) ||
      (await this.findingsAreWaived(tx, rootId, last, registry));
    return { kind: accepted ? 'holds' : 'open', last };
  }

  private async isWaived(tx: Tx, rootId: string, decisionId: string): Promise<boolean> {
    const rows = await tx.query(
      `SELECT 1 FROM waiver WHERE organization_id = $1 AND clearance_id = $2
          AND coalesce(decided_clearance_id, clearance_id) = $3 AND expires_at > $4 LIMIT 1`,
      [tx.organizationId, rootId, decisionId, this.clock.now()],
    );
    return rows.length > 0;
  }

  private async findingsAreWaived(
    tx: Tx,
    rootId: string,
    last: StoredClearance,
    registry: RegistryState,
  ): Promise<boolean> {
    const { projectId, useCaseId, findings } = last;
    if (projectId === null) return false;
    const askers = await tx.query<{ created_by: string }>(
      'SELECT created_by FROM clearance WHERE organization_id = $1 AND id = ANY($2::uuid[])',
      [tx.organizationId, [rootId, last.id]],
    );
    const askedBy = askers.map(({ created_by }) => created_by);
    return this.coversFindings(tx, { projectId, useCaseId, findings, askedBy }, registry);
  }

  /** Each open finding is accepted for this project, by somebody other than who asked, on the facts that still hold. */
  async coversFindings(
    tx: Tx,
    { projectId, useCaseId, findings, askedBy }: AskedFindings,
    registry: RegistryState,
  ): Promise<boolean> {
    const rows = await tx.query<FindingWaiverRow>(
      `SELECT listing_id, rule_id, decisive_sha256, registry_version FROM waiver
        WHERE organization_id = $1 AND scope = 'finding' AND project_id = $2
          AND (use_case_id IS NULL OR use_case_id = $3) AND expires_at > $4 AND approved_by <> ALL ($5::uuid[])`,
      [tx.organizationId, projectId, useCaseId, this.clock.now(), askedBy],
    );
    const inForce = rows.filter((row) => isInForce(row, registry));
    const accepted = new Set(inForce.map((row) => `${row.rule_id} ${row.listing_id}`));
    return openFindings(findings).every(({ ruleId, listingId }) => accepted.has(`${ruleId} ${listingId}`));
  }
}

/** Findings of a decision that may not have been recorded yet, and for whom it is. */
interface AskedFindings {
  /** UUIDs. */
  readonly projectId: string;
  readonly useCaseId: string | null;
  readonly findings: readonly Finding[];
  readonly askedBy: readonly string[];
}

interface FindingWaiverRow {
  listing_id: string;
  rule_id: string;
  decisive_sha256: string;
  registry_version: string;
}

function isInForce(row: FindingWaiverRow, registry: RegistryState): boolean {
  const entry = registry.index.get(row.listing_id);
  if (entry === undefined || decisiveSha256(entry) !== row.decisive_sha256) return false;
  const basis: Basis = {
    listingId: row.listing_id,
    decisiveSha256: row.decisive_sha256,
    licenseKey: entry.listing.license.spdxOrRef,
    licenseTextSha256: entry.listing.license.textSha256,
  };
  return reopened([basis], Number(row.registry_version), registry).length === 0;
}

export function openFindings(findings: readonly Finding[]): readonly Finding[] {
  return findings.filter(({ severity }) => severity === 'review');
}

async function basisOf(tx: Tx, clearanceId: string): Promise<Basis[]> {
  const rows = await tx.query<BasisRow>(
    `SELECT listing_id, decisive_sha256, license_key, license_text_sha256 FROM clearance_listing
      WHERE organization_id = $1 AND clearance_id = $2 ORDER BY listing_id`,
    [tx.organizationId, clearanceId],
  );
  return rows.map(toBasis);
}

export interface BasisRow {
  listing_id: string;
  decisive_sha256: string;
  license_key: string;
  license_text_sha256: string | null;
}

export function toBasis(row: BasisRow): Basis {
  return {
    listingId: row.listing_id,
    decisiveSha256: row.decisive_sha256,
    licenseKey: row.license_key,
    licenseTextSha256: row.license_text_sha256,
  };
}
