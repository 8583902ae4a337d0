import { type AssetRepository, type AssetWithParents } from '../../assets/adapters/asset.repository.js';
import { type Tx } from '../../database/organization-tx.js';
import { type KeyMode } from '../../identity/domain/api-key.js';
import { type Lineage, type LineageComponent, type LineageInput } from '../../licenses/domain/lineage.js';
import { type LineageRole } from '../../licenses/domain/listing.js';
import { ColophonError } from '../../shared/errors.js';
import { publicId } from '../../shared/ids.js';
import { type Operation } from '../domain/pipeline-definition.js';
import { type PlannedStep, type RunInputs } from '../domain/resolve-run.js';

const ROLE_OF_OPERATION: Record<Operation, LineageRole> = {
  generate: 'generator',
  'cut-out': 'background-remover',
  upscale: 'upscaler',
  recolor: 'editor',
  crop: 'editor',
  convert: 'editor',
};

/**
 * Everything the output will descend from: the listings of the steps, the uploaded inputs with their declared
 * rights, and, for an asset that was made here, the whole lineage of that asset too.
 */
export async function buildLineage(
  tx: Tx,
  assets: AssetRepository,
  steps: readonly PlannedStep[],
  inputs: RunInputs,
  mode: KeyMode,
): Promise<Lineage> {
  const components = new Map<string, LineageComponent>();
  for (const step of steps) {
    if (step.substituteAssetId === undefined)
      addComponent(components, step.listingId, step.definition.operation, step.definition.key);
  }
  const inputIds = new Set([...Object.values(inputs.images), ...Object.values(inputs.substitutes)]);
  const uploads = new Map<string, LineageInput>();
  for (const assetId of inputIds) {
    for (const ancestor of await lineageOf(tx, assets, assetId)) {
      // Else a live run would turn a placeholder of the sandbox into an asset that may be released.
      if (mode === 'live' && ancestor.mode === 'test')
        throw new ColophonError('wrong_mode', 'inputs: an asset made with a test key stays in test runs.');
      if (ancestor.rights)
        uploads.set(ancestor.id, { ...ancestor.rights, assetId: publicId('asset', ancestor.id) });
      if (ancestor.stepRunId !== undefined) await addStepOf(tx, components, ancestor.stepRunId);
    }
  }
  return { components: [...components.values()], inputs: [...uploads.values()] };
}

/** What steps use, without what they are given. */
export function lineageOfSteps(
  steps: readonly { readonly stepKey: string; readonly operation: Operation; readonly listingId: string }[],
): Lineage {
  const components = new Map<string, LineageComponent>();
  for (const { listingId, operation, stepKey } of steps)
    addComponent(components, listingId, operation, stepKey);
  return { components: [...components.values()], inputs: [] };
}

async function lineageOf(tx: Tx, assets: AssetRepository, assetId: string): Promise<AssetWithParents[]> {
  try {
    return await assets.lineage(tx, assetId);
  } catch (error) {
    if (error instanceof ColophonError && error.code === 'not_found') {
      throw new ColophonError('invalid_request', 'inputs: there is no asset with one of the given ids');
    }
    throw error;
  }
}

async function addStepOf(
  tx: Tx,
  components: Map<string, LineageComponent>,
  stepRunId: string,
): Promise<void> {
  const [step] = await tx.query<{ listing_id: string; operation: Operation; key: string }>(
    'SELECT listing_id, operation, key FROM step_run WHERE organization_id = $1 AND id = $2',
    [tx.organizationId, stepRunId],
  );
  if (step) addComponent(components, step.listing_id, step.operation, step.key);
}

function addComponent(
  components: Map<string, LineageComponent>,
  listingId: string,
  operation: Operation,
  stepKey: string,
): void {
  const role = ROLE_OF_OPERATION[operation];
  components.set(`${listingId} ${role} ${stepKey}`, { listingId, role, stepKey });
}
