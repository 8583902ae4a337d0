import { setTimeout as pause } from 'node:timers/promises';

/**
 * Asks something that may never answer, e.g. a database that stands still. Nobody waits longer than the limit, and a
 * question that is open is not asked again: however often it is asked, it holds one connection.
 */
export class TimedQuestion<T> {
  private open: Promise<T> | undefined;

  constructor(
    private readonly ask: () => Promise<T>,
    private readonly limitMs: number,
  ) {}

  /** @throws Error when there is no answer in time, and what the question itself throws */
  async answer(): Promise<T> {
    const question = (this.open ??= this.askAnew());
    const over = new AbortController();
    const late = pause(this.limitMs, undefined, { signal: over.signal, ref: false }).then(() => {
      throw new Error(`There is no answer within ${this.limitMs / 1000} seconds.`);
    });
    late.catch(() => undefined);
    try {
      return await Promise.race([question, late]);
    } finally {
      over.abort();
    }
  }

  private askAnew(): Promise<T> {
    const asked = Promise.resolve().then(this.ask);
    const forget = (): void => {
      if (this.open === asked) this.open = undefined;
    };
    asked.then(forget, forget);
    return asked;
  }
}
