import { type StepRun } from './run.js';

/** A step of a run that has ended. `released`: it has cost nothing, and never will. */
export type EndedStep = Pick<StepRun, 'key' | 'state' | 'outputAssetId' | 'skipReason'> & {
  readonly released: boolean;
};

export interface Resumption {
  /** What was made stays, by step key. */
  readonly substitutes: Readonly<Record<string, string>>;
  /** Failed in a way that may have been paid: never tried again by itself. */
  readonly abandoned: readonly string[];
  /** Failed for certain, and at no cost. */
  readonly triedAgain: readonly string[];
}

/**
 * What is kept, given up and tried again. Steps that were skipped or canceled are planned anew: their conditions are
 * asked again, with the same answers where nothing changed.
 */
export function resumptionOf(steps: readonly EndedStep[]): Resumption {
  const substitutes: Record<string, string> = {};
  const abandoned: string[] = [];
  const triedAgain: string[] = [];
  for (const { key, state, outputAssetId, skipReason, released } of steps) {
    if (outputAssetId !== undefined && (state === 'SUCCEEDED' || skipReason === 'substituted'))
      substitutes[key] = outputAssetId;
    else if (skipReason === 'failed_before' || (state === 'FAILED' && !released)) abandoned.push(key);
    else if (state === 'FAILED') triedAgain.push(key);
  }
  return { substitutes, abandoned, triedAgain };
}
