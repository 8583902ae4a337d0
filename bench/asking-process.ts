/**
 * A client as a process of its own: asks what it is told to, one request after the other, and answers with the
 * milliseconds until each answer was read. Started with fork().
 */
import { timeEach } from './benchmark.js';

export interface Asking {
  readonly url: string;
  readonly key: string;
  /** One body per request: those before the measured ones, and those. */
  readonly warmUp: readonly string[];
  readonly measured: readonly string[];
}

async function ask({ url, key }: Asking, body: string): Promise<void> {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  const response = await fetch(url, { method: 'POST', headers, body });
  const text = await response.text();
  if (!response.ok) throw new Error(`${response.status} ${text.slice(0, 500)}`);
}

process.on('message', (asking: Asking) => {
  const run = async () => {
    for (const body of asking.warmUp) await ask(asking, body);
    process.send?.('warm');
    return timeEach(asking.measured.length, (round) => ask(asking, asking.measured[round] ?? ''));
  };
  run().then(
    (sortedMs) => process.send?.({ sortedMs }),
    (error: unknown) => process.send?.({ error: String(error) }),
  );
});
