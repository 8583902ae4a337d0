import { type AssetRepository } from '../../assets/adapters/asset.repository.js';
import { type Tx } from '../../database/organization-tx.js';
import { ColophonError } from '../../shared/errors.js';
import { type MediaKind, mediaKindOf, named } from '../domain/media-kind.js';
import { OPERATION_FACTS } from '../domain/operation.js';
import { isHumanOperation } from '../domain/pipeline-definition.js';
import { type ResolvedStep } from '../domain/resolve-run.js';

/** @throws ColophonError `invalid_request` when it is something else */
export function requireKind(mediaType: string, wanted: MediaKind, name: string): MediaKind {
  const kind = mediaKindOf(mediaType);
  if (kind === wanted) return kind;
  const given = kind === undefined ? 'something else' : named(kind);
  throw new ColophonError('invalid_request', `"${name}" must be ${named(wanted)}, and it is ${given}.`);
}

/**
 * Refuses, before anything is reserved, an asset that a step cannot work on, or that cannot take the place of a step.
 * @throws ColophonError `invalid_request`, `not_found`
 */
export async function requireFittingAssets(
  tx: Tx,
  assets: AssetRepository,
  steps: readonly ResolvedStep[],
): Promise<void> {
  for (const step of steps) {
    for (const [name, source] of Object.entries(step.images)) {
      if (source.kind !== 'asset') continue;
      const { mediaType } = await assets.get(tx, source.assetId);
      requireKind(mediaType, source.media ?? 'image', name);
    }
    if (step.substituteAssetId === undefined) continue;
    // What a person once chose, approved or sent was looked at then.
    if (isHumanOperation(step.operation)) continue;
    const { mediaType } = await assets.get(tx, step.substituteAssetId);
    requireKind(mediaType, OPERATION_FACTS[step.operation].makes, step.key);
  }
}
