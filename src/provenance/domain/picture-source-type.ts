import { type DigitalSourceType } from './manifest-plan.js';

/** How one ancestor of a picture came to be: `unknown` for what somebody sent and nobody declared. */
export type AncestorSourceType = DigitalSourceType | 'unknown' | 'unchanged';

const TRAINED: ReadonlySet<AncestorSourceType> = new Set([
  'trainedAlgorithmicMedia',
  'compositeWithTrainedAlgorithmicMedia',
] as const);

/**
 * The digital source type of the whole picture, for metadata in the file. It is not that of the last step: a generated
 * picture that was cropped, or retouched by a person, is still one that a model made, and a mark that is lost with the
 * next edit is no mark.
 *
 * @param own of the step itself; `unchanged` for one that changes nothing that is seen
 * @returns `undefined` where an ancestor is unknown: then nothing is said (promise P10)
 */
export function pictureSourceType(
  own: AncestorSourceType,
  ancestors: readonly AncestorSourceType[],
): DigitalSourceType | undefined {
  const all = [own, ...ancestors].filter((type) => type !== 'unchanged');
  const trained = all.filter((type) => TRAINED.has(type));
  if (trained.length > 0) {
    const isWhole = all.every((type) => type === 'trainedAlgorithmicMedia');
    return isWhole ? 'trainedAlgorithmicMedia' : 'compositeWithTrainedAlgorithmicMedia';
  }
  if (all.includes('unknown')) return undefined;
  return all.find((type): type is DigitalSourceType => type !== 'unknown');
}
