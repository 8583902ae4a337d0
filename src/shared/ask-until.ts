import { setTimeout as pause } from 'node:timers/promises';

export interface BoundedWait {
  readonly timeoutMs: number;
  /** Pause between two questions; each is longer by a third than the one before it, up to `longestStepMs`. */
  readonly stepMs: number;
  /** Default: all pauses are equal. */
  readonly longestStepMs?: number;
  /** Ends the wait at once: nobody needs the answer any more. */
  readonly signal?: AbortSignal;
}

const GROWTH = 4 / 3;

/**
 * Asks until an answer will do or the time is over, and gives the last answer: whether it will do, the caller sees.
 * Asks at least once, and once more when the time is over.
 */
export async function askUntil<T>(
  ask: () => Promise<T>,
  willDo: (answer: T) => boolean,
  { timeoutMs, stepMs, longestStepMs = stepMs, signal }: BoundedWait,
): Promise<T> {
  // Not by the clock on the wall, which may be set while we wait.
  const deadline = performance.now() + timeoutMs;
  for (let stepNowMs = stepMs; ; stepNowMs = Math.min(longestStepMs, stepNowMs * GROWTH)) {
    const isLast = performance.now() >= deadline;
    const answer = await ask();
    if (willDo(answer) || isLast || signal?.aborted === true) return answer;
    // An abort ends the pause; then nothing is asked any more.
    const ended = await pause(stepNowMs, 'paused', { signal }).catch(() => 'aborted');
    if (ended === 'aborted') return answer;
  }
}
