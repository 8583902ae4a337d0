import { ColophonError } from '../../shared/errors.js';

interface Waiting {
  readonly start: () => Promise<void>;
}

/** Organizations with something in the queue; the next one is sent away. */
const MAX_ORGANIZATIONS = 1_000;

/**
 * Does one thing at a time, and takes one of each organization by turns: whoever asks for much waits behind themselves
 * alone.
 */
export class TurnQueue {
  /** In the order of their turns; the one whose work is being done stands last. */
  readonly #queues = new Map<string, Waiting[]>();
  readonly #counts = new Map<string, number>();
  #isRunning = false;

  constructor(private readonly maxOfOne: number) {}

  /** @throws ColophonError `conflict` when this organization has too much in the queue */
  run<T>(organizationId: string, work: () => Promise<T>): Promise<T> {
    const count = this.#counts.get(organizationId) ?? 0;
    if (count >= this.maxOfOne || (count === 0 && this.#counts.size >= MAX_ORGANIZATIONS)) {
      const message = 'Many policies of yours are being read at the moment. Try again in a minute.';
      return Promise.reject(new ColophonError('conflict', message));
    }
    this.#counts.set(organizationId, count + 1);
    return new Promise<T>((resolve, reject) => {
      const start = async (): Promise<void> => {
        try {
          resolve(await work());
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        } finally {
          this.forgetOne(organizationId);
        }
      };
      const mine = this.#queues.get(organizationId) ?? [];
      mine.push({ start });
      this.#queues.set(organizationId, mine);
      if (!this.#isRunning) void this.drain();
    });
  }

  private async drain(): Promise<void> {
    this.#isRunning = true;
    for (let next = this.takeNext(); next !== undefined; next = this.takeNext()) await next.start();
    this.#isRunning = false;
  }

  private takeNext(): Waiting | undefined {
    const [first] = this.#queues;
    if (first === undefined) return undefined;
    const [organizationId, queue] = first;
    const next = queue.shift();
    this.#queues.delete(organizationId);
    // Last in the order of turns from now on.
    if (queue.length > 0) this.#queues.set(organizationId, queue);
    return next;
  }

  private forgetOne(organizationId: string): void {
    const left = (this.#counts.get(organizationId) ?? 1) - 1;
    if (left === 0) this.#counts.delete(organizationId);
    else this.#counts.set(organizationId, left);
  }
}
