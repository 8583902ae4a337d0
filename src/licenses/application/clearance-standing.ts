import { type Tx } from '../../database/organization-tx.js';
import { type Clock } from '../../shared/clock.js';
import { decisiveSha256 } from '../domain/decisive-facts.js';
import { type Finding } from '../domain/finding.js';
import { type RegistryState } from '../domain/registry-state.js';
import { type Basis, reopened, type Reopened } from '../domain/reopened.js';
import { type RunFacts } from '../domain/run-facts.js';
import { endsBeforeCampaign, longer, type WaiverCover } from '../domain/waiver-cover.js';
import { type AskPolicies } from './ask-policies.js';
import { type EffectiveRegistry } from './effective-registry.js';
import { readLastDecision, type StoredClearance } from './read-clearance.js';

/** Whether what was cleared may go on. */
export type Standing =
  | {
      readonly kind: 'holds';
      readonly last: StoredClearance;
      /** Undefined where nothing was left open: then it has no end. */
      readonly cover: WaiverCover | undefined;
    }
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
    if (last.decision === 'allow') return { kind: 'holds', last, cover: undefined };
    const cover = await this.coverOf(tx, rootId, last, registry);
    return cover === undefined ? { kind: 'open', last } : { kind: 'holds', last, cover };
  }

  /** Until when waivers in force accept what a decision left open; undefined when not all of it is accepted. */
  async coverOf(
    tx: Tx,
    rootId: string,
    last: StoredClearance,
    registry: RegistryState,
  ): Promise<WaiverCover | undefined> {
    const whole = await this.waiverOf(tx, rootId, last.id);
    return longer(whole, await this.coverOfFindings(tx, rootId, last, registry));
  }

  /** Whoever approved it has seen this campaign: it counts until its end, however long the campaign is. */
  private async waiverOf(tx: Tx, rootId: string, decisionId: string): Promise<WaiverCover | undefined> {
    const [row] = await tx.query<{ id: string; expires_at: Date }>(
      `SELECT id, expires_at FROM waiver WHERE organization_id = $1 AND clearance_id = $2
          AND coalesce(decided_clearance_id, clearance_id) = $3 AND expires_at > $4
        ORDER BY expires_at DESC, id LIMIT 1`,
      [tx.organizationId, rootId, decisionId, this.clock.now()],
    );
    return row && { until: row.expires_at, waiverIds: [row.id] };
  }

  private async coverOfFindings(
    tx: Tx,
    rootId: string,
    last: StoredClearance,
    registry: RegistryState,
  ): Promise<WaiverCover | undefined> {
    const { projectId, useCaseId, findings, input } = last;
    if (projectId === null) return undefined;
    const askers = await tx.query<{ created_by: string }>(
      'SELECT created_by FROM clearance WHERE organization_id = $1 AND id = ANY($2::uuid[])',
      [tx.organizationId, [rootId, last.id]],
    );
    const askedBy = askers.map(({ created_by }) => created_by);
    const { campaignEnd } = input.facts;
    return this.coversFindings(tx, { projectId, useCaseId, findings, askedBy, campaignEnd }, registry);
  }

  /**
   * Each open finding is accepted for this project, by somebody other than who asked, on the facts that still hold.
   * Whoever accepted it did not see this campaign, so one that is stated to outlive the waiver is not covered at all.
   */
  async coversFindings(
    tx: Tx,
    { projectId, useCaseId, findings, askedBy, campaignEnd }: AskedFindings,
    registry: RegistryState,
  ): Promise<WaiverCover | undefined> {
    const rows = await tx.query<FindingWaiverRow>(
      `SELECT id, listing_id, rule_id, decisive_sha256, registry_version, expires_at FROM waiver
        WHERE organization_id = $1 AND scope = 'finding' AND project_id = $2
          AND (use_case_id IS NULL OR use_case_id = $3) AND expires_at > $4 AND approved_by <> ALL ($5::uuid[])`,
      [tx.organizationId, projectId, useCaseId, this.clock.now(), askedBy],
    );
    const inForce = rows.filter(
      (row) => isInForce(row, registry) && endsBeforeCampaign(row.expires_at, campaignEnd) !== 'yes',
    );
    const accepted = new Map<string, WaiverCover>();
    for (const { id, rule_id, listing_id, expires_at: until } of inForce) {
      const key = `${rule_id} ${listing_id}`;
      const cover = longer(accepted.get(key), { until, waiverIds: [id] });
      if (cover !== undefined) accepted.set(key, cover);
    }
    return coverOfAll(
      openFindings(findings).map(({ ruleId, listingId }) => accepted.get(`${ruleId} ${listingId}`)),
    );
  }
}

/** Findings of a decision that may not have been recorded yet, and for whom it is. */
interface AskedFindings {
  /** UUIDs. */
  readonly projectId: string;
  readonly useCaseId: string | null;
  readonly findings: readonly Finding[];
  readonly askedBy: readonly string[];
  readonly campaignEnd: RunFacts['campaignEnd'];
}

/** As long as the shortest of them; undefined when one is missing. */
function coverOfAll(covers: readonly (WaiverCover | undefined)[]): WaiverCover | undefined {
  const all = covers.filter((cover) => cover !== undefined);
  const [first] = all;
  if (first === undefined || all.length < covers.length) return undefined;
  const until = all.reduce(
    (earliest, cover) => (cover.until < earliest ? cover.until : earliest),
    first.until,
  );
  return { until, waiverIds: [...new Set(all.flatMap(({ waiverIds }) => waiverIds))].sort() };
}

interface FindingWaiverRow {
  id: string;
  expires_at: Date;
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
