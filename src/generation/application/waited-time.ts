import { type Clock, systemClock } from '../../shared/clock.js';

/** More jobs than one process follows at a time. */
const MAX_FOLLOWED = 20_000;

interface Sight {
  /** How long it was waited for before, by the wall clock: nothing else goes on while no process runs. */
  readonly beforeMs: number;
  readonly seenAtMs: number;
}

/**
 * How long something has been waited for. From when this process first sees it, by the monotonic clock: a wall clock that
 * is set forward must not give up a job that is paid for, and one that is set back must not hold its money.
 */
export class WaitedTime {
  private readonly sights = new Map<string, Sight>();

  constructor(
    private readonly clock: Clock = systemClock,
    private readonly monotonicMs: () => number = () => performance.now(),
  ) {}

  /** @param since when it began, as it is stored: a later one is another wait */
  seconds(id: string, since: Date): number {
    const nowMs = this.monotonicMs();
    const key = `${id} ${since.getTime()}`;
    const sight = this.sights.get(key) ?? {
      beforeMs: Math.max(0, this.clock.now().getTime() - since.getTime()),
      seenAtMs: nowMs,
    };
    // The one that was asked for the longest ago is the first to go.
    this.sights.delete(key);
    this.sights.set(key, sight);
    const [oldest] = this.sights.keys();
    if (this.sights.size > MAX_FOLLOWED && oldest !== undefined) this.sights.delete(oldest);
    return (sight.beforeMs + nowMs - sight.seenAtMs) / 1000;
  }
}
