/** A row of the database for each file or entry would be slower than the work itself. */
const STEPS = 20;

/** Passes on what is told of progress (0 to 1, ascending) each time another twentieth is done. */
export function inSteps(tell: (share: number) => Promise<void>): (share: number) => Promise<void> {
  let told = 0;
  return async (share) => {
    const step = Math.floor(share * STEPS);
    if (step <= told) return;
    told = step;
    await tell(share);
  };
}
