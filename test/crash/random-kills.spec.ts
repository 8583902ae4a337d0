import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CrashBench, type RunView } from './support/crash-bench.js';
import { expectSound, remember, type Remembered } from './support/invariants.js';
import { randomNumbers } from './support/random-numbers.js';

/** `CRASH_KILLS=200 npx jest test/crash/random-kills.spec.ts --selectProjects crash` for a long campaign. */
const KILLS = Number(process.env.CRASH_KILLS ?? 6);
/** `CRASH_SEED` repeats the moments of an earlier campaign, as far as a machine repeats itself. */
const SEED = Number(process.env.CRASH_SEED ?? Date.now() % 1_000_000);
const LONGEST_LIFE_MS = 4_000;
const LONGEST_LOAD_MS = 60_000;

describe(`killed ${KILLS} times at random moments (seed ${SEED})`, () => {
  let bench: CrashBench;
  beforeAll(async () => {
    bench = await CrashBench.start();
  }, 90_000);
  afterAll(() => bench.stop());

  /** Requests that a kill cut off may or may not have happened; the list of runs tells. */
  const load = async (): Promise<void> => {
    const requests = [bench.startFalRun(), bench.post<RunView>('/v1/runs', bench.runBody({}))];
    await Promise.allSettled(requests);
  };

  const allRuns = async (): Promise<RunView[]> => {
    const runs: RunView[] = [];
    let cursor: string | null = null;
    do {
      const page: { items: RunView[]; nextCursor: string | null } = await bench.program.json(
        `/v1/runs?limit=100${cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`}`,
      );
      runs.push(...page.items);
      cursor = page.nextCursor;
    } while (cursor !== null);
    return runs;
  };

  /** What a person would do: waive what waits, and look up at the vendor what became of a lost submit. */
  const settle = async ({ id }: RunView): Promise<RunView> => {
    const ends = ['SUCCEEDED', 'FAILED', 'CANCELED'];
    for (;;) {
      const run = await bench.runIn(id, 'WAITING_FOR_WAIVER', 'NEEDS_RECONCILIATION', ...ends);
      if (ends.includes(run.state)) return run;
      if (run.state === 'WAITING_FOR_WAIVER') await bench.waive(run);
      else await lookUp(run);
    }
  };

  const lookUp = async (run: RunView): Promise<void> => {
    const [charge] = bench.chargesOf(run);
    const found =
      charge === undefined
        ? { outcome: 'not_accepted' }
        : { outcome: 'accepted', upstreamId: charge.requestId };
    // The vendor's webhook may have been faster: then the outcome is known, and this one is refused.
    await bench.reconcile(run.id, found).catch(() => undefined);
  };

  it(
    'every accepted run ends right, charged once, and the log is whole',
    async () => {
      const random = randomNumbers(SEED);
      let before: Remembered = await remember(bench);
      for (let kill = 0; kill < KILLS; kill++) {
        const requests = load();
        // Not a wait for something: the moment of the kill is what is drawn.
        await delay(random() * LONGEST_LIFE_MS);
        before = await remember(bench);
        await bench.program.kill();
        await requests;
        await bench.restart();
      }
      const runs = await allRuns();
      for (const run of runs) expect((await settle(run)).state).toBe('SUCCEEDED');
      for (const run of runs) {
        const { steps } = await bench.run(run.id);
        const charges = bench.chargesOf({ ...run, steps });
        const atVendor = steps.some(({ key, model }) => key === 'generate' && model.endsWith('@fal'));
        expect(charges).toHaveLength(atVendor ? 1 : 0);
      }
      expect(runs.length).toBeGreaterThan(KILLS / 2);
      await expectSound(bench, before);
    },
    KILLS * 15_000 + LONGEST_LOAD_MS,
  );
});
