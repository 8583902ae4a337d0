import { definitionKeyOf } from './definition-words.js';
import { inputsOf, isHuman } from './pipeline-definition.js';
import { type PlannedStep } from './plan-steps.js';
import { type RunInputs } from './run-inputs.js';

/**
 * The listings of the steps that get this asset, or something made from it, to work on in the planned run: those of
 * their fallbacks too. All instances of a step count as one: rather a listing too many than one too few.
 */
export function listingsThatGet(
  assetId: string,
  steps: readonly PlannedStep[],
  { images, substitutes }: RunInputs,
): Set<string> {
  const executed = steps.filter(({ substituteAssetId }) => substituteAssetId === undefined);
  // Outputs that hold the picture, by step key; where it takes a step's place, it is that step's output.
  const holding = new Set(
    Object.keys(substitutes)
      .filter((key) => substitutes[key] === assetId)
      .map(definitionKeyOf),
  );
  const listings = new Set<string>();
  for (let size = -1; size !== holding.size + listings.size;) {
    size = holding.size + listings.size;
    for (const { definition, listingId, fallbacks, item } of executed) {
      const gets = Object.values(inputsOf(definition)).some((source) => {
        if ('step' in source) return holding.has(source.step);
        return ('input' in source ? images[source.input] : item?.images[source.item]) === assetId;
      });
      if (!gets) continue;
      holding.add(definition.key);
      if (!isHuman(definition))
        for (const used of [listingId, ...fallbacks.map((fallback) => fallback.listingId)])
          listings.add(used);
    }
  }
  return listings;
}

/** An asset as far as it says what it was made from, and by which listing. */
export interface MadeAsset {
  readonly id: string;
  readonly parents: readonly { readonly assetId: string }[];
  /** `undefined` where a person made it, or sent it. */
  readonly listingId: string | undefined;
}

/** The listings that had this ancestor, or something made from it, to work on until the lineage was complete. */
export function listingsThatGot(ancestorId: string, lineage: readonly MadeAsset[]): Set<string> {
  const holding = new Set([ancestorId]);
  const listings = new Set<string>();
  for (let grown = true; grown;) {
    grown = false;
    for (const { id, parents, listingId } of lineage) {
      if (holding.has(id) || !parents.some(({ assetId }) => holding.has(assetId))) continue;
      holding.add(id);
      if (listingId !== undefined) listings.add(listingId);
      grown = true;
    }
  }
  return listings;
}
