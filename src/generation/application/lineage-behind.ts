import { type AssetRepository, type AssetWithParents } from '../../assets/adapters/asset.repository.js';
import { readingOf } from '../../assets/domain/asset.js';
import { speaks } from '../../assets/domain/signal-reading.js';
import { type Tx } from '../../database/organization-tx.js';
import { type AssetOrigin } from '../../licenses/application/complete-lineage.js';
import { type LineageInput } from '../../licenses/domain/lineage.js';
import { type LineageBehind, MADE_HERE } from '../../licenses/domain/lineage-parts.js';
import { isColophonError } from '../../shared/errors.js';
import { publicId } from '../../shared/ids.js';
import { definitionKeyOf } from '../domain/definition-words.js';
import { type OfferedComponent } from '../domain/offering.js';
import { type Operation } from '../domain/operation.js';
import { listingsThatGot } from '../domain/picture-flow.js';
import { componentsOfStep, type UsedStep } from '../domain/step-components.js';

/** With the asset itself, which is the first, and everything that it was made from. */
export interface KnownLineage extends LineageBehind {
  readonly ancestors: readonly AssetWithParents[];
}

/**
 * The listings of the steps that made an asset and its ancestors, and what was received among them with its declared
 * rights and with what its file reserves. Runs and dry runs ask about the same.
 *
 * @throws ColophonError `not_found`
 */
export async function lineageBehind(tx: Tx, assets: AssetRepository, assetId: string): Promise<KnownLineage> {
  const ancestors = await assets.lineage(tx, assetId);
  const steps = await stepsThatMade(tx, ancestors);
  // From the oldest to the youngest, so that one look at each says who got what.
  const made = [...ancestors].reverse().map(({ id, parents, stepRunId }) => ({
    id,
    parents,
    listingId: stepRunId === undefined ? undefined : steps.get(stepRunId)?.listingId,
  }));
  return {
    ancestors,
    components: [...steps.values()].flatMap(componentsOfStep),
    inputs: ancestors.flatMap((ancestor) => {
      const input = inputOf(ancestor);
      if (input === undefined) return [];
      const goesInto = [...listingsThatGot(ancestor.id, made)];
      return [{ ...input, assetId: publicId('asset', ancestor.id), goesInto }];
    }),
  };
}

/** For a question about an asset; `undefined` when the organization has no such asset. */
export async function originOfAsset(
  tx: Tx,
  assets: AssetRepository,
  assetId: string,
): Promise<AssetOrigin | undefined> {
  try {
    const { ancestors, components, inputs } = await lineageBehind(tx, assets, assetId);
    return { components, inputs, projectIds: [...new Set(ancestors.map(({ projectId }) => projectId))] };
  } catch (error) {
    if (isColophonError(error) && error.code === 'not_found') return undefined;
    throw error;
  }
}

/** By the id of the step run. */
async function stepsThatMade(
  tx: Tx,
  assets: readonly AssetWithParents[],
): Promise<ReadonlyMap<string, UsedStep>> {
  const ids = [...new Set(assets.flatMap(({ stepRunId }) => stepRunId ?? []))];
  if (ids.length === 0) return new Map();
  const rows = await tx.query<{
    id: string;
    listing_id: string;
    operation: Operation;
    key: string;
    components: OfferedComponent[] | null;
  }>(
    `SELECT id, listing_id, operation, key, components FROM step_run
      WHERE organization_id = $1 AND id = ANY($2::uuid[]) ORDER BY id`,
    [tx.organizationId, ids],
  );
  // What made an asset is not known, so nothing could be said about it.
  if (rows.length < ids.length) throw new Error('a step that made an asset does not exist');
  return new Map(
    rows.map(({ id, listing_id: listingId, operation, key, components }) => [
      id,
      { listingId, operation, stepKey: definitionKeyOf(key), components: components ?? [] },
    ]),
  );
}

function inputOf(asset: AssetWithParents): LineageInput | undefined {
  const reading = readingOf(asset);
  const found =
    reading === undefined ? {} : { fileSignals: reading.signals, unreadPlaces: reading.unreadPlaces };
  if (asset.rights) return { ...asset.rights, ...found };
  return reading !== undefined && speaks(reading) ? { ...MADE_HERE, ...found } : undefined;
}
