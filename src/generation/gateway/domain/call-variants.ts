import { type RunValue } from '../../domain/definition-words.js';
import { invalid } from './job-input.js';

type Values = Readonly<Record<string, RunValue>>;

/**
 * What the steps of one call have in common, and by what they differ. The sandbox draws the same picture for the same
 * words, and a vendor for the same seed: where several are wanted, the seed counts up from the one that was given, or
 * down where numbers end.
 * @throws ColophonError `invalid_request` for a seed next to which there is no other number
 */
export function variantsOf(
  count: number,
  given: Values,
  isTest: boolean,
): { readonly values: Values; readonly variant: (ordinal: number) => Readonly<Record<string, number>> } {
  const { seed, ...others } = given;
  if (count === 1 || (typeof seed !== 'number' && !isTest)) return { values: given, variant: () => ({}) };
  const first = typeof seed === 'number' ? seed : 0;
  if (Math.abs(first) > Number.MAX_SAFE_INTEGER)
    throw invalid('seed', `must be at most ${Number.MAX_SAFE_INTEGER} where several pictures are wanted`);
  const step = first + count > Number.MAX_SAFE_INTEGER ? -1 : 1;
  return { values: others, variant: (ordinal) => ({ seed: first + step * ordinal }) };
}
