import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { effort } from '../support/effort.js';
import { eventually } from '../support/eventually.js';
import { CrashBench, type RunView } from './support/crash-bench.js';
import { GatewayLoad } from './support/gateway-load.js';
import { HomeDatabase, serverProcessId } from './support/home-database.js';
import { expectSound, remember, type Remembered } from './support/invariants.js';
import { randomNumbers } from './support/random-numbers.js';

/** `CRASH_KILLS=500 npx jest test/crash/gateway-campaign.spec.ts --selectProjects crash` for a long campaign. */
const KILLS = Number(process.env.CRASH_KILLS ?? effort(10, 500));
const SEED = Number(process.env.CRASH_SEED ?? Date.now() % 1_000_000);
const MODEL = 'fal-ai/flux/schnell';
const LONGEST_LIFE_MS = 4_000;
const LONGEST_ORPHANED_MS = 400;
const SETTLE_MS = 120_000;
/** A call whose program was killed before it made a run: as long an equal one waits for it. */
const CLAIM_MS = 120_000;

describe(`the gateway under load, killed ${KILLS} times at random moments (seed ${SEED})`, () => {
  let bench: CrashBench;
  beforeAll(async () => {
    bench = await CrashBench.start();
    await bench.openGateway(MODEL);
  }, 90_000);
  afterAll(() => bench.stop());

  /** Runs that have not ended; what a person would do about a lost answer is done. */
  const openRuns = async (database: HomeDatabase): Promise<number> => {
    const rows = await database.query<{ id: string; state: string }>(
      'SELECT id, state FROM run WHERE finished_at IS NULL',
    );
    for (const { id, state } of rows) {
      if (state !== 'NEEDS_RECONCILIATION') continue;
      const run = await bench.run(`run_${id.replaceAll('-', '')}`);
      for (const step of run.steps.filter(isLost)) await bench.lookUp(run.id, step);
    }
    return rows.length;
  };
  const isLost = ({ state }: RunView['steps'][number]): boolean => state === 'OUTCOME_UNKNOWN';

  it(
    'asks the vendor once for each wish, settles once, loses nothing that was paid, and leaves nothing stuck',
    async () => {
      const random = randomNumbers(SEED);
      const load = new GatewayLoad(bench, MODEL, random);
      let before: Remembered = await remember(bench);
      const killed = { program: 0, database: 0, connection: 0 };
      for (let kill = 0; kill < KILLS; kill++) {
        const how = random();
        if (how < 0.3) {
          const at = random() < 0.5 ? 'arrival' : 'answer';
          bench.gate.once('submit', at, () => Promise.resolve('drop'));
          killed.connection += 1;
        }
        // Not a wait for something: the moment of the kill is what is drawn.
        await delay(random() * LONGEST_LIFE_MS);
        if (kill % 10 === 9) before = await remember(bench);
        if (how > 0.8) {
          process.kill(serverProcessId(bench.home), 'SIGKILL');
          killed.database += 1;
          await delay(random() * LONGEST_ORPHANED_MS);
        }
        await bench.program.kill();
        killed.program += 1;
        await bench.restart();
      }
      let isStopped = false;
      const stopped = load.stop().then(() => (isStopped = true));
      const database = await HomeDatabase.open(bench.home);
      try {
        // A job whose answer was lost is in progress for its client as long as it may be found: a person says what became of it.
        await eventually(
          'every client has its answer',
          async () => (await openRuns(database), isStopped || undefined),
          CLAIM_MS + SETTLE_MS,
        );
        await stopped;
        expect(load.surprises).toEqual([]);
        await eventually(
          'every run has ended',
          async () => (await openRuns(database)) === 0 || undefined,
          SETTLE_MS,
        );
        const { wishes } = load;
        const runs = await database.query<{ id: string; state: string }>('SELECT id, state FROM run');
        expect(runs.filter(({ state }) => state !== 'SUCCEEDED')).toEqual([]);
        // One job for each wish, and the client was told that one.
        expect(runs.map(({ id }) => id).sort()).toEqual(wishes.map(({ requestId }) => requestId).sort());
        const paid = await database.query<{ id: string }>(
          `SELECT upstream_id AS id FROM step_run WHERE state = 'SUCCEEDED' AND provider = 'fal'`,
        );
        const charged = bench.fake.ledger().map(({ requestId }) => requestId);
        expect(paid.map(({ id }) => id).sort()).toEqual(charged.sort());
      } finally {
        await database.close();
      }
      const asked = bench.fake.attempts().map(({ input }) => (input as { prompt: string }).prompt);
      expect(asked.sort()).toEqual([...new Set(asked)]);
      const { wishes } = load;
      const { projectId } = bench.program.instance;
      for (const { requestId } of wishes.slice(-100)) {
        const path = `/gateway/fal/p/${projectId}/hero-image/queue/fal-ai/flux/requests/${requestId}`;
        const result = await bench.program.json<{ images: { url: string }[] }>(path);
        expect((await fetch(result.images[0]?.url ?? '')).status).toBe(200);
      }
      await expectSound(bench, before);
      process.stdout.write(
        `${killed.program} kills of the program, ${killed.database} of PostgreSQL, ${killed.connection} cut connections to the vendor: ${wishes.length} wishes, ${asked.length} submits\n`,
      );
    },
    KILLS * 15_000 + SETTLE_MS + CLAIM_MS,
  );
});
