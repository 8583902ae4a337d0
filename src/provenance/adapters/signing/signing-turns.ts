import { availableParallelism } from 'node:os';

/**
 * More at once make nothing faster: the library works on as many threads as there are processors, and each file costs
 * the event loop some copies of its bytes. It also bounds the memory: each holds one file of at most 20 MB, as it was
 * and as it is signed, and the library's copies of both.
 */
const MAX_AT_ONCE = 4;

/** Work that takes processor time and memory, so many at once; the others wait. */
export class SigningTurns {
  private free: number;
  private readonly begun: (() => void)[] = [];
  private readonly waiting: (() => void)[] = [];

  constructor(atOnce = Math.min(MAX_AT_ONCE, availableParallelism())) {
    this.free = atOnce;
  }

  /** @param isBegun goes before all that is not: a file that is half done is finished before another one is begun */
  async run<T>(work: () => Promise<T>, isBegun = false): Promise<T> {
    if (this.free > 0) this.free -= 1;
    else await new Promise<void>((resolve) => (isBegun ? this.begun : this.waiting).push(resolve));
    try {
      return await work();
    } finally {
      this.passOn();
    }
  }

  private passOn(): void {
    const next = this.begun.shift() ?? this.waiting.shift();
    if (next === undefined) this.free += 1;
    else next();
  }
}
