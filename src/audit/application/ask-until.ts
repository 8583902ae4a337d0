export interface BoundedWait {
  readonly timeoutMs: number;
  /** Pause between two questions. */
  readonly stepMs: number;
  /** Ends the wait early: nobody needs the answer any more. */
  readonly signal?: AbortSignal;
}

/**
 * Asks until an answer will do or the time is over, and gives the last answer: whether it will do, the caller sees.
 * Asks at least once, and once more when the time is over.
 */
export async function askUntil<T>(
  ask: () => Promise<T>,
  willDo: (answer: T) => boolean,
  { timeoutMs, stepMs, signal }: BoundedWait,
): Promise<T> {
  // Not by the clock on the wall, which may be set while we wait.
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const isLast = performance.now() >= deadline;
    const answer = await ask();
    if (willDo(answer) || isLast || signal?.aborted === true) return answer;
    await new Promise((resolve) => setTimeout(resolve, stepMs));
  }
}
