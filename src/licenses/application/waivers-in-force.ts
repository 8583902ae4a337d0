import { type Tx } from '../../database/organization-tx.js';
import { type Clock } from '../../shared/clock.js';
import { decisiveSha256 } from '../domain/decisive-facts.js';
import { type Finding } from '../domain/finding.js';
import { type RegistryState } from '../domain/registry-state.js';
import { type Basis, reopened } from '../domain/reopened.js';
import { type RunFacts } from '../domain/run-facts.js';
import { endsBeforeCampaign, longer, type WaiverCover } from '../domain/waiver-cover.js';
import { type StoredClearance } from './read-clearance.js';

/** Findings of a decision that may not have been recorded yet, and for whom it is. */
export interface AskedFindings {
  /** UUIDs. */
  readonly projectId: string;
  readonly useCaseId: string | null;
  readonly findings: readonly Finding[];
  readonly askedBy: readonly string[];
  readonly campaignEnd: RunFacts['campaignEnd'];
}

interface FindingWaiverRow {
  id: string;
  project_id: string;
  use_case_id: string | null;
  expires_at: Date;
  approved_by: string;
  listing_id: string;
  rule_id: string;
  decisive_sha256: string;
  registry_version: string;
}

/** Until when waivers accept what decisions left open. */
export class WaiversInForce {
  constructor(private readonly clock: Clock) {}

  /**
   * By the id of the decision; none for one of which not everything is accepted. In as many statements as for one.
   * @param decisions the last ones, each of another first one
   */
  async coversOf(
    tx: Tx,
    decisions: readonly StoredClearance[],
    registry: RegistryState,
  ): Promise<Map<string, WaiverCover>> {
    if (decisions.length === 0) return new Map();
    const whole = await this.waiversOf(tx, decisions.map(rootOf));
    const asked = decisions.map(({ id }) => id);
    const askers = await askersOf(tx, [...asked, ...decisions.map(rootOf)]);
    const rows = await this.findingWaivers(
      tx,
      decisions.flatMap(({ projectId }) => projectId ?? []),
    );
    const covers = new Map<string, WaiverCover>();
    for (const decision of decisions) {
      const { id, projectId, useCaseId, findings, input } = decision;
      const rootId = rootOf(decision);
      const askedBy = [askers.get(rootId), askers.get(id)].filter((asker) => asker !== undefined);
      const { campaignEnd } = input.facts;
      const ofFindings =
        projectId === null
          ? undefined
          : coverOfFindings(rows, { projectId, useCaseId, findings, askedBy, campaignEnd }, registry);
      const cover = longer(whole.get(`${rootId} ${id}`), ofFindings);
      if (cover !== undefined) covers.set(id, cover);
    }
    return covers;
  }

  /** For findings that may not be recorded yet. */
  async coversFindings(
    tx: Tx,
    asked: AskedFindings,
    registry: RegistryState,
  ): Promise<WaiverCover | undefined> {
    return coverOfFindings(await this.findingWaivers(tx, [asked.projectId]), asked, registry);
  }

  /**
   * The one that lasts longest, by first decision and the one that it accepted. Whoever approved it has seen this
   * campaign: it counts until its end, however long the campaign is.
   */
  private async waiversOf(tx: Tx, rootIds: readonly string[]): Promise<Map<string, WaiverCover>> {
    const rows = await tx.query<{ id: string; clearance_id: string; decided_id: string; expires_at: Date }>(
      `SELECT id, clearance_id, coalesce(decided_clearance_id, clearance_id) AS decided_id, expires_at FROM waiver
        WHERE organization_id = $1 AND clearance_id = ANY($2::uuid[]) AND expires_at > $3
        ORDER BY expires_at, id DESC`,
      [tx.organizationId, rootIds, this.clock.now()],
    );
    return new Map(
      rows.map((row): [string, WaiverCover] => [
        `${row.clearance_id} ${row.decided_id}`,
        { until: row.expires_at, waiverIds: [row.id] },
      ]),
    );
  }

  private async findingWaivers(tx: Tx, projectIds: readonly string[]): Promise<FindingWaiverRow[]> {
    if (projectIds.length === 0) return [];
    return tx.query<FindingWaiverRow>(
      `SELECT id, project_id, use_case_id, listing_id, rule_id, decisive_sha256, registry_version, expires_at, approved_by
         FROM waiver
        WHERE organization_id = $1 AND scope = 'finding' AND project_id = ANY($2::uuid[]) AND expires_at > $3
        ORDER BY id`,
      [tx.organizationId, [...new Set(projectIds)], this.clock.now()],
    );
  }
}

function rootOf({ id, renews }: StoredClearance): string {
  return renews ?? id;
}

async function askersOf(tx: Tx, ids: readonly string[]): Promise<Map<string, string>> {
  const rows = await tx.query<{ id: string; created_by: string }>(
    'SELECT id, created_by FROM clearance WHERE organization_id = $1 AND id = ANY($2::uuid[])',
    [tx.organizationId, [...new Set(ids)]],
  );
  return new Map(rows.map(({ id, created_by }) => [id, created_by]));
}

/**
 * Each open finding is accepted for this project, by somebody other than who asked, on the facts that still hold.
 * Whoever accepted it did not see this campaign, so one that is stated to outlive the waiver is not covered at all.
 */
function coverOfFindings(
  rows: readonly FindingWaiverRow[],
  { projectId, useCaseId, findings, askedBy, campaignEnd }: AskedFindings,
  registry: RegistryState,
): WaiverCover | undefined {
  const inForce = rows.filter(
    (row) =>
      row.project_id === projectId &&
      (row.use_case_id === null || row.use_case_id === useCaseId) &&
      !askedBy.includes(row.approved_by) &&
      endsBeforeCampaign(row.expires_at, campaignEnd) !== 'yes' &&
      isInForce(row, registry),
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

/** A waiver of a finding names a listing and a rule of the licenses; a policy, or what is about no model, has none. */
export function canBeAcceptedByFinding(ruleId: string, listingId: string | null): boolean {
  return listingId !== null && !ruleId.startsWith('policy.');
}
