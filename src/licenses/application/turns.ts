import { setImmediate } from 'node:timers/promises';

/** Then other requests are answered. */
const TURN_MS = 20;

/** Lets others have their turn when this work has had its own. */
export function turns(): () => Promise<void> {
  let begunMs = performance.now();
  return async () => {
    if (performance.now() - begunMs < TURN_MS) return;
    await setImmediate();
    begunMs = performance.now();
  };
}
