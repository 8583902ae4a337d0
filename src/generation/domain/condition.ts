/** What can be asked of an earlier step. */
export const CONDITION_FACTS = ['outcome', 'width', 'height', 'mediaType', 'chosen'] as const;
export type ConditionFact = (typeof CONDITION_FACTS)[number];

export const COMPARISONS = ['equals', 'not-equals', 'at-least', 'at-most', 'above', 'below'] as const;
export type Comparison = (typeof COMPARISONS)[number];

type Value = string | number | boolean;

/** What is known of a step that has come to its end. `chosen`: the key of the step whose output was chosen. */
export interface OutputFacts {
  readonly outcome: string;
  readonly width: number | undefined;
  readonly height: number | undefined;
  readonly mediaType: string | undefined;
  readonly chosen: string | undefined;
}

/** Unknown is not yes: a value that is not there fulfills no comparison, `not-equals` neither. */
export function holds(found: unknown, compare: Comparison, value: Value): boolean {
  if (found === undefined || found === null) return false;
  if (compare === 'equals') return found === value;
  if (compare === 'not-equals') return typeof found === typeof value && found !== value;
  if (typeof found !== 'number' || typeof value !== 'number') return false;
  switch (compare) {
    case 'at-least':
      return found >= value;
    case 'at-most':
      return found <= value;
    case 'above':
      return found > value;
    case 'below':
      return found < value;
  }
}
