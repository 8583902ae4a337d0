import { type AssetRepository, type AssetWithParents } from '../../assets/adapters/asset.repository.js';
import { isStillImageType } from '../../assets/domain/media-probe/still-image-type.js';
import { type Tx } from '../../database/organization-tx.js';
import { type KeyMode } from '../../identity/domain/api-key.js';
import { type Lineage } from '../../licenses/domain/lineage.js';
import { LineageParts } from '../../licenses/domain/lineage-parts.js';
import { ColophonError, isColophonError } from '../../shared/errors.js';
import { publicId } from '../../shared/ids.js';
import { mediaKindOf } from '../domain/media-kind.js';
import { listingsThatGet } from '../domain/picture-flow.js';
import { isHuman } from '../domain/pipeline-definition.js';
import { type PlannedStep } from '../domain/plan-steps.js';
import { type RunInputs } from '../domain/run-inputs.js';
import { componentsOfStep, type UsedStep } from '../domain/step-components.js';
import { type KnownLineage, lineageBehind } from './lineage-behind.js';

/**
 * Everything the output will descend from: the listings of the steps, the received inputs with their declared rights
 * and with what their files reserve, and, for an asset that was made here, the whole lineage of that asset too. With the
 * projects (UUIDs) from which all of that comes.
 *
 * @throws ColophonError `invalid_request`, `not_a_picture`, `wrong_mode`, `pipeline_too_large`
 */
export async function buildLineage(
  tx: Tx,
  assets: AssetRepository,
  steps: readonly PlannedStep[],
  inputs: RunInputs,
  mode: KeyMode,
): Promise<{ readonly lineage: Lineage; readonly originProjectIds: readonly string[] }> {
  const parts = new LineageParts();
  const originProjectIds = new Set<string>();
  for (const step of steps) addPlanned(parts, step);
  for (const assetId of assetsGivenTo(inputs)) {
    const behind = await lineageOf(tx, assets, assetId);
    const { ancestors } = behind;
    refuseOtherMedia(ancestors[0]);
    // Else a live run would turn a placeholder of the sandbox into an asset that may be released.
    if (mode === 'live' && ancestors.some((ancestor) => ancestor.mode === 'test'))
      throw new ColophonError('wrong_mode', 'inputs: an asset made with a test key stays in test runs.');
    for (const { projectId } of ancestors) originProjectIds.add(projectId);
    parts.addBehind(behind, listingsThatGet(assetId, steps, inputs));
  }
  return { lineage: parts.lineage(), originProjectIds: [...originProjectIds] };
}

/** Whatever may run for it: instances of one step are one part of the lineage, and a fallback counts like the first. */
function addPlanned(parts: LineageParts, step: PlannedStep): void {
  const { definition, substituteAssetId, left } = step;
  if (substituteAssetId !== undefined || left !== undefined || isHuman(definition)) return;
  const { operation, key: stepKey } = definition;
  for (const used of [step, ...step.fallbacks])
    parts.addComponents(componentsOfStep({ ...used, operation, stepKey }));
}

/** Assets that a run works on from outside of it, each once. */
export function assetsGivenTo({ images, substitutes, lists = {} }: RunInputs): Set<string> {
  const items = Object.values(lists).flat();
  return new Set(
    [images, substitutes, ...items.map((item) => item.images)].flatMap((record) => Object.values(record)),
  );
}

/** What steps use, without what they are given. */
export function lineageOfSteps(steps: readonly UsedStep[]): Lineage {
  const parts = new LineageParts();
  for (const step of steps) parts.addComponents(componentsOfStep(step));
  return parts.lineage();
}

async function lineageOf(tx: Tx, assets: AssetRepository, assetId: string): Promise<KnownLineage> {
  try {
    return await lineageBehind(tx, assets, assetId);
  } catch (error) {
    if (isColophonError(error) && error.code === 'not_found') {
      throw new ColophonError('invalid_request', 'inputs: there is no asset with one of the given ids');
    }
    throw error;
  }
}

/**
 * Pictures must be still ones that a decoder reads; words are no input. Which kind a step takes, its definition says
 * (input-media.ts), and which of them its provider. Found here, before anything is spent.
 */
function refuseOtherMedia(asset: AssetWithParents | undefined): void {
  if (asset === undefined || isStillImageType(asset.mediaType)) return;
  const kind = mediaKindOf(asset.mediaType);
  if (kind !== undefined && kind !== 'image') return;
  throw new ColophonError(
    'not_a_picture',
    `inputs: ${publicId('asset', asset.id)} is of the type ${asset.mediaType}; steps work on still pictures.`,
  );
}
