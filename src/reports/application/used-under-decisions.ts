import { type AssetWithParents } from '../../assets/adapters/asset.repository.js';
import { type Tx } from '../../database/organization-tx.js';
import { archivedIndex } from '../../licenses/application/archived-listings.js';
import { readDecisionAt, type StoredClearance } from '../../licenses/application/read-clearance.js';
import { expandLineage } from '../../licenses/domain/expand-lineage.js';
import { type Lineage } from '../../licenses/domain/lineage.js';
import { type SupplyChain, supplyChainComponents } from '../../licenses/formats/supply-chain.js';

/** What one run contributed to an asset, and the decision under which it did. */
export interface Used {
  readonly decision: StoredClearance;
  readonly parts: Pick<SupplyChain, 'components' | 'unlisted'>;
}

interface StepRow {
  id: string;
  run_id: string;
  key: string;
  listing_id: string;
  clearance_id: string;
}

/** Of each run in the lineage: the models of the steps that led to the asset, as the decision of that run knew them. */
export async function usedUnderDecisions(tx: Tx, lineage: readonly AssetWithParents[]): Promise<Used[]> {
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
  // The instances of one step are one part of the lineage: `variant.17` is decided as `variant`.
  const took = new Set(
    steps.map(({ key, listing_id: listingId }) => `${key.split('.')[0] ?? key} ${listingId}`),
  );
  const { components, inputs } = lineage;
  return {
    components: components.filter(({ stepKey, listingId }) => took.has(`${stepKey} ${listingId}`)),
    inputs,
  };
}
