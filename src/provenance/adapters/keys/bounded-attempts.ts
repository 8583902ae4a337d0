export interface AttemptLimits {
  readonly attempts: number;
  /** Pause before the second attempt; doubled before each further one, with up to half of it taken off at random. */
  readonly firstPauseMs: number;
  /** For all attempts and pauses together. */
  readonly deadlineMs: number;
}

/** A key service that throttles is asked again while a person still waits; a held step comes back by itself anyway. */
export const DEFAULT_LIMITS: AttemptLimits = { attempts: 4, firstPauseMs: 100, deadlineMs: 10_000 };

/**
 * Repeats what failed for a passing reason. Signing twice does no harm: a signature that nobody uses is nothing.
 * @throws what the last attempt threw
 */
export async function withAttempts<T>(
  limits: AttemptLimits,
  isPassing: (error: unknown) => boolean,
  attempt: (remainingMs: number) => Promise<T>,
): Promise<T> {
  const end = performance.now() + limits.deadlineMs;
  for (let number = 1; ; number++) {
    try {
      return await attempt(Math.max(1, end - performance.now()));
    } catch (error) {
      const pauseMs = limits.firstPauseMs * 2 ** (number - 1) * (1 - Math.random() / 2);
      const timeLeft = end - performance.now() > pauseMs;
      if (number >= limits.attempts || !timeLeft || !isPassing(error)) throw error;
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
}
