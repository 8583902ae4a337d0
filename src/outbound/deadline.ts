/** A signal that aborts after a time or with the caller's own signal, whichever comes first. */
export interface Deadline {
  readonly signal: AbortSignal;
  /** True when the time ran out, false when the caller canceled. */
  expired(): boolean;
  /** Must be called when the work has ended, so that no timer and no listener stay behind. */
  clear(): void;
}

/** @param deadlineMs from now on, for everything that is done under the signal */
export function deadlineSignal(deadlineMs: number, outer?: AbortSignal): Deadline {
  const controller = new AbortController();
  let expired = false;
  const timer = setTimeout(() => {
    expired = true;
    controller.abort(new Error('deadline exceeded'));
  }, deadlineMs);
  const onOuterAbort = (): void => controller.abort(outer?.reason);
  if (outer?.aborted) onOuterAbort();
  else outer?.addEventListener('abort', onOuterAbort, { once: true });
  return {
    signal: controller.signal,
    expired: () => expired,
    clear: () => {
      clearTimeout(timer);
      outer?.removeEventListener('abort', onOuterAbort);
    },
  };
}
