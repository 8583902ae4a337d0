import { type AssetRepository, type AssetWithParents } from '../../assets/adapters/asset.repository.js';
import { type Tx } from '../../database/organization-tx.js';
import { archivedIndex } from '../../licenses/application/archived-listings.js';
import { type EffectiveRegistry } from '../../licenses/application/effective-registry.js';
import { type PipelineLineage } from '../../licenses/application/pipeline-lineage.js';
import { readDecisionAt, type StoredClearance } from '../../licenses/application/read-clearance.js';
import { expandLineage } from '../../licenses/domain/expand-lineage.js';
import { type Lineage } from '../../licenses/domain/lineage.js';
import {
  mergedComponents,
  type SupplyChain,
  type SupplyChainClearance,
  supplyChainComponents,
} from '../../licenses/formats/supply-chain.js';
import { publicId } from '../../shared/ids.js';
import { type ClearedScope, clearedLineages } from './cleared-lineages.js';

type Parts = Pick<SupplyChain, 'components' | 'unlisted'>;

/**
 * What something was made with, or may be made with. An asset's list tells what was true when its licenses were decided:
 * it is read from the stored decisions and the listings archived with them, never from the registry of today.
 */
export class BillOfMaterials {
  constructor(
    private readonly assets: AssetRepository,
    private readonly registry: EffectiveRegistry,
    private readonly pipelines: PipelineLineage,
  ) {}

  /** @throws ColophonError `not_found` */
  async ofAsset(tx: Tx, assetId: string): Promise<SupplyChain> {
    const lineage = await this.assets.lineage(tx, assetId);
    const asset = lineage[0] as AssetWithParents;
    const used = await usedUnderDecisions(tx, lineage);
    const { components, unlisted } = mergedComponents([...used].reverse().map(({ parts }) => parts));
    // The generation closest to the asset comes first: its decision covers everything that the asset descends from.
    const nearest = used[0]?.decision;
    const known = new Set([...components.map(({ listing }) => listing.id), ...unlisted]);
    const { sha256, title: name, mode } = asset;
    return {
      subject: { kind: 'asset', id: publicId('asset', asset.id), name, sha256, mode },
      components,
      unlisted,
      clearance: nearest === undefined ? null : clearanceAbout(nearest, known),
      basis: {
        decisions: used.length,
        clearanceIds: used.map(({ decision }) => publicId('clearance', decision.id)),
        since: null,
        until: null,
      },
    };
  }

  /** Everything that was cleared for it, and begun, in a time. */
  async cleared(tx: Tx, subject: SupplyChain['subject'], scope: ClearedScope): Promise<SupplyChain> {
    const { lineages, decisions, clearanceIds } = await clearedLineages(tx, scope);
    const parts: Parts[] = [];
    for (const { lineage, ...basis } of lineages)
      parts.push(supplyChainComponents(expandLineage(lineage, await archivedIndex(tx, basis))));
    const { since, until } = scope;
    return {
      subject,
      ...mergedComponents(parts),
      clearance: null,
      basis: {
        decisions,
        clearanceIds: clearanceIds.map((id) => publicId('clearance', id)),
        since: since?.toISOString() ?? null,
        until: until?.toISOString() ?? null,
      },
    };
  }

  /** What a pipeline would use by its definition, with the registry of today. Nothing is decided by it. */
  async ofDefinition(tx: Tx, subject: SupplyChain['subject'], pipeline: string): Promise<SupplyChain> {
    const lineage = await this.pipelines.of(tx, { pipeline, models: {} });
    const { index } = await this.registry.now(tx);
    return { subject, ...supplyChainComponents(expandLineage(lineage, index)), clearance: null };
  }
}

interface Used {
  readonly decision: StoredClearance;
  readonly parts: Parts;
}

interface StepRow {
  id: string;
  run_id: string;
  key: string;
  listing_id: string;
  clearance_id: string;
}

/** Of each run in the lineage: the models of the steps that led to the asset, as the decision of that run knew them. */
async function usedUnderDecisions(tx: Tx, lineage: readonly AssetWithParents[]): Promise<Used[]> {
  const made = lineage.flatMap(({ stepRunId, createdAt }) =>
    stepRunId === undefined ? [] : [{ stepRunId, createdAt }],
  );
  const rows = await tx.query<StepRow>(
    `SELECT s.id, s.run_id, s.key, s.listing_id, r.clearance_id FROM step_run s
       JOIN run r ON r.organization_id = s.organization_id AND r.id = s.run_id
      WHERE s.organization_id = $1 AND s.id = ANY($2::uuid[])`,
    [tx.organizationId, made.map(({ stepRunId }) => stepRunId)],
  );
  const steps = new Map(rows.map((row) => [row.id, row]));
  const runs = new Map<string, { steps: StepRow[]; madeAt: Date }>();
  for (const { stepRunId, createdAt } of made) {
    const step = steps.get(stepRunId);
    if (step === undefined) continue;
    const run = runs.get(step.run_id) ?? { steps: [], madeAt: createdAt };
    run.steps.push(step);
    if (createdAt > run.madeAt) run.madeAt = createdAt;
    runs.set(step.run_id, run);
  }
  const used: Used[] = [];
  for (const { steps: ofRun, madeAt } of runs.values()) {
    const [first] = ofRun;
    if (first === undefined) continue;
    const decision = await readDecisionAt(tx, first.clearance_id, madeAt);
    const listings = await archivedIndex(tx, decision.input);
    used.push({
      decision,
      parts: supplyChainComponents(expandLineage(onlySteps(decision, ofRun), listings)),
    });
  }
  return used;
}

function onlySteps({ input: { lineage } }: StoredClearance, steps: readonly StepRow[]): Lineage {
  const took = new Set(steps.map(({ key, listing_id: listingId }) => `${key} ${listingId}`));
  const { components, inputs } = lineage;
  return {
    components: components.filter(({ stepKey, listingId }) => took.has(`${stepKey} ${listingId}`)),
    inputs,
  };
}

/** A run may have made more than this asset: findings on models that took no part in it say nothing about it. */
function clearanceAbout(decision: StoredClearance, known: ReadonlySet<string>): SupplyChainClearance {
  const concerns = ({ listingId }: { readonly listingId: string | null }) =>
    listingId === null || known.has(listingId);
  return {
    id: publicId('clearance', decision.id),
    decision: decision.decision,
    engineVersion: decision.engineVersion,
    findings: decision.findings.filter(concerns),
    obligations: decision.obligations.filter(concerns),
  };
}
