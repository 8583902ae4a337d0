import { z } from 'zod';

/** What is known of a fact. `unknown` is a value of its own: it is never read as `yes`. */
export const THREE_VALUES = ['yes', 'no', 'unknown'] as const;
export type ThreeValued = (typeof THREE_VALUES)[number];

export const threeValuedSchema = z.enum(THREE_VALUES);

/** Strong Kleene conjunction: `no` wins over `unknown`, `unknown` over `yes`. */
export function and(left: ThreeValued, right: ThreeValued): ThreeValued {
  if (left === 'no' || right === 'no') return 'no';
  return left === 'yes' && right === 'yes' ? 'yes' : 'unknown';
}

/** Strong Kleene disjunction: `yes` wins over `unknown`, `unknown` over `no`. */
export function or(left: ThreeValued, right: ThreeValued): ThreeValued {
  if (left === 'yes' || right === 'yes') return 'yes';
  return left === 'no' && right === 'no' ? 'no' : 'unknown';
}

export function not(value: ThreeValued): ThreeValued {
  if (value === 'unknown') return 'unknown';
  return value === 'yes' ? 'no' : 'yes';
}
