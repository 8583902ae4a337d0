import { ColophonError } from '../../shared/errors.js';
import { isFileIngredient, type PlannedIngredient } from '../domain/manifest-plan.js';
import { type Opening } from '../domain/manifest-rules.js';
import { type SignedMedia, type SignMediaRequest } from '../domain/media-signer.port.js';
import { readManifestStore } from './carried-store.js';
import { type LabeledIngredient } from './manifest-definition.js';
import { fileSha256 } from './media-content.js';

/** An ingredient as it was found before signing. */
export interface FoundIngredient extends LabeledIngredient {
  readonly hasManifest: boolean;
}

export type KeptManifest = NonNullable<SignedMedia['keptManifest']>;

/**
 * The ingredients to be written. A source with its own manifest is the parent: it is the thing that was opened.
 * A planned parent is then what the provider worked from, `inputTo`, unless it is the same file.
 */
export async function findIngredients(
  { source, origin, plan }: SignMediaRequest,
  kept: KeptManifest | undefined,
): Promise<FoundIngredient[]> {
  const planned: PlannedIngredient[] = [];
  for (const ingredient of plan.ingredients) {
    const replaced = kept !== undefined && ingredient.relationship === 'parentOf';
    if (!isFileIngredient(ingredient) || !replaced) planned.push(ingredient);
    else if ((await fileSha256(ingredient.path)) !== origin.originalSha256) {
      planned.push({ ...ingredient, relationship: 'inputTo' });
    }
  }
  const parent: PlannedIngredient = {
    ...source,
    title: plan.title,
    relationship: 'parentOf',
    digitalSourceType: undefined,
  };
  const all = kept === undefined ? planned : [parent, ...planned];
  return Promise.all(
    all.map(async (ingredient, index) => findIngredient(ingredient, index, kept, source.path)),
  );
}

async function findIngredient(
  ingredient: PlannedIngredient,
  index: number,
  kept: KeptManifest | undefined,
  sourcePath: string,
): Promise<FoundIngredient> {
  const label = `ingredient-${String(index)}`;
  if (!isFileIngredient(ingredient)) return { label, ingredient, hasManifest: false };
  if (kept !== undefined && ingredient.path === sourcePath)
    return { label, ingredient, hasManifest: kept.isLeftOut !== true };
  const { mediaType, store } = await readManifestStore(ingredient.path);
  // With a wrong type the library finds no manifest and would drop the history without a word.
  if (mediaType !== ingredient.mediaType) {
    throw new ColophonError(
      'internal',
      `An ingredient was planned as ${ingredient.mediaType}, but is ${mediaType}.`,
    );
  }
  return { label, ingredient, hasManifest: store !== undefined };
}

/** How the manifest begins, given what was found. */
export function openingOf(ingredients: readonly FoundIngredient[], kept: KeptManifest | undefined): Opening {
  if (kept !== undefined) return 'source_manifest';
  const hasParent = ingredients.some(({ ingredient }) => ingredient.relationship === 'parentOf');
  return hasParent ? 'planned_parent' : 'nothing';
}
