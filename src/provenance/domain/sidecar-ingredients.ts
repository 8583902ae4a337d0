import { type PlannedAssertion, type PlannedIngredient } from './manifest-plan.js';
import { type ManifestPlacement } from './media-types.js';

const LABEL = 'org.colophon.sidecar-ingredients';

/** An ingredient as far as it tells where its own manifest is. */
export interface ManifestedIngredient {
  readonly title: string;
  readonly relationship: PlannedIngredient['relationship'];
  readonly sha256: string;
  readonly manifestPlacement: ManifestPlacement;
  readonly manifestSha256: string;
  readonly manifestLabel: string;
}

/**
 * The pinned library cannot take the manifest of an ingredient from a file of its own: such an ingredient stands in the
 * manifest without its history. So that the chain can be followed all the same, its bytes and its manifest are named by
 * their hashes, in an assertion of our own. Created: we hold both, and our log has them.
 */
export function sidecarAssertions(ingredients: readonly ManifestedIngredient[]): PlannedAssertion[] {
  const named = ingredients
    .filter(({ manifestPlacement }) => manifestPlacement === 'sidecar')
    .map(({ title, relationship, sha256, manifestSha256, manifestLabel }) => ({
      title,
      relationship,
      sha256,
      manifestSha256,
      manifestLabel,
    }));
  return named.length === 0 ? [] : [{ label: LABEL, kind: 'created', data: { ingredients: named } }];
}
