import { type AssetRepository, type AssetWithParents } from '../../assets/adapters/asset.repository.js';
import { type Tx } from '../../database/organization-tx.js';
import { archivedIndex } from '../../licenses/application/archived-listings.js';
import { type EffectiveRegistry } from '../../licenses/application/effective-registry.js';
import { type PipelineLineage } from '../../licenses/application/pipeline-lineage.js';
import { type StoredClearance } from '../../licenses/application/read-clearance.js';
import { expandLineage } from '../../licenses/domain/expand-lineage.js';
import {
  mergedComponents,
  type SupplyChain,
  type SupplyChainClearance,
  supplyChainComponents,
} from '../../licenses/formats/supply-chain.js';
import { publicId } from '../../shared/ids.js';
import { type ClearedScope, clearedLineages } from './cleared-lineages.js';
import { usedUnderDecisions } from './used-under-decisions.js';

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
