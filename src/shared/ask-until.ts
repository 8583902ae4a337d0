import { setTimeout as pause } from 'node:timers/promises';

export interface BoundedWait {
  readonly timeoutMs: number;
  /** Pause between two questions; each is longer by a third than the one before it, up to `longestStepMs`. */
  readonly stepMs: number;
  /** Default: all pauses are equal. */
  readonly longestStepMs?: number;
  /** Nothing can be there yet: the first question comes after the first pause. */
  readonly pausesFirst?: boolean;
  /** Ends the wait at once: nobody needs the answer any more. */
  readonly signal?: AbortSignal;
  /**
   * Calls `changed` when another answer may be there, which is then asked for without waiting for the end of the pause.
   * A hint only: what is not told is found by asking. @returns stops it
   */
  readonly follow?: (changed: () => void) => () => void;
}

const GROWTH = 4 / 3;

/**
 * Asks until an answer will do or the time is over, and gives the last answer: whether it will do, the caller sees.
 * Asks at least once, and once more when the time is over.
 */
export async function askUntil<T>(
  ask: () => Promise<T>,
  willDo: (answer: T) => boolean,
  { timeoutMs, stepMs, longestStepMs = stepMs, pausesFirst = false, signal, follow }: BoundedWait,
): Promise<T> {
  const pauses = new Pauses(signal);
  const unfollow = follow?.(() => pauses.cutShort());
  // Not by the clock on the wall, which may be set while we wait.
  const deadline = performance.now() + timeoutMs;
  try {
    if (pausesFirst) await pauses.next(Math.min(stepMs, timeoutMs));
    for (let stepNowMs = stepMs; ; stepNowMs = Math.min(longestStepMs, stepNowMs * GROWTH)) {
      const isLast = performance.now() >= deadline;
      const answer = await ask();
      if (willDo(answer) || isLast || signal?.aborted === true) return answer;
      // An abort ends the pause; then nothing is asked any more.
      if ((await pauses.next(stepNowMs)) === 'aborted') return answer;
    }
  } finally {
    unfollow?.();
  }
}

/** What changes while an answer is on its way is not in that answer: the pause after it is skipped. */
class Pauses {
  private current = new AbortController();

  constructor(private readonly signal: AbortSignal | undefined) {}

  cutShort(): void {
    this.current.abort();
  }

  async next(durationMs: number): Promise<'over' | 'aborted'> {
    const { signal } = this.current;
    const either = this.signal === undefined ? signal : AbortSignal.any([signal, this.signal]);
    await pause(durationMs, undefined, { signal: either }).catch(() => undefined);
    if (this.signal?.aborted === true) return 'aborted';
    if (signal.aborted) this.current = new AbortController();
    return 'over';
  }
}
