import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type CompiledProgram, compileProgram } from './log/compiled-program.js';
import { type Fault } from './log/faults.js';
import { LogBench } from './log/log-bench.js';
import { type LogProcess } from './log/log-process.js';
import { LogServer } from './log/log-server.js';

/** `COLOPHON_LOG_KILLS=500 npx jest --selectProjects crash test/crash/log-kills.spec.ts` for a long campaign. */
const KILLS = Number(process.env.COLOPHON_LOG_KILLS ?? 4);
/**
 * Just before an operation is just after the one before it, and what only reads leaves everything as it was: such
 * moments are left to long campaigns.
 */
const EVERY_MOMENT = process.env.COLOPHON_LOG_KILLS !== undefined;
const CHANGES = /^(WITH|INSERT|UPDATE|COMMIT|mkdir|open wx|write|sync|rename|rm)/;
/** Programs and databases of their own that are worked on at the same time. */
const LANES = 2;
const LONGEST_LIFE_MS = 500;

let server: LogServer;
let program: CompiledProgram;
beforeAll(async () => {
  program = compileProgram();
  server = await LogServer.start();
}, 60_000);
afterAll(async () => {
  await server.stop();
  program.remove();
});

async function withBench(work: (bench: LogBench) => Promise<void>): Promise<void> {
  const bench = await LogBench.open(server, program);
  try {
    await work(bench);
  } finally {
    await bench.close();
  }
}

/** So many workers with a bench each, which take what there is to do one by one. */
async function inLanes(
  work: (bench: LogBench, next: <T>(queue: T[]) => T | undefined) => Promise<void>,
): Promise<void> {
  const lane = (): Promise<void> => withBench((bench) => work(bench, (queue) => queue.shift()));
  await Promise.all(Array.from({ length: LANES }, lane));
}

/** Started again after a kill: it comes to rest, and then everything holds. */
async function heal(bench: LogBench): Promise<LogProcess> {
  const process = bench.start();
  expect(await process.tell({ do: 'settle' })).not.toHaveProperty('failure');
  await bench.expectSound();
  return process;
}

function pointsOf(kind: Fault['kind'], operations: readonly string[]): Fault[] {
  return operations.flatMap((operation, i) => {
    const moments: Fault['at'][] = ['after'];
    if (EVERY_MOMENT) moments.push('before');
    if (kind === 'sql' && (EVERY_MOMENT || CHANGES.test(operation))) moments.push('sent');
    return EVERY_MOMENT || kind === 'sql' || CHANGES.test(operation)
      ? moments.map((at) => ({ kind, at, n: i + 1 }))
      : [];
  });
}

/** With the entry that stands alone 256: each round fills one tile, begins the next one and removes partial tiles. */
const FILLING = 255;

/** Every moment of a round: it does the same, in nearly the same order, each time. */
async function countRound(): Promise<Fault[]> {
  let points: Fault[] = [];
  await withBench(async (bench) => {
    const process = await heal(bench);
    await bench.commit(FILLING);
    const { sql, file } = await process.tell({ do: 'round' });
    await process.kill();
    points = [...pointsOf('sql', sql), ...pointsOf('file', file)];
  });
  return points;
}

describe('killed at every statement and every file operation', () => {
  it('of a round that fills a tile: the log heals, and nothing acknowledged is lost', async () => {
    const points = await countRound();
    let killed = 0;
    await inLanes(async (bench, next) => {
      let process = await heal(bench);
      for (let fault = next(points); fault !== undefined; fault = next(points)) {
        await bench.commit(FILLING);
        if ((await process.tellDoomed({ do: 'round', fault })) === 'killed') killed++;
        else await process.kill();
        process = await heal(bench);
        if (bench.size > 1_200) {
          await bench.beginLog(process);
          await process.tell({ do: 'settle' });
        }
      }
      await process.kill();
    });
    // When a statement is on its way, the round may come to its end before the kill.
    expect(killed).toBeGreaterThan(points.length - 3);
  }, 240_000);
});

describe(`killed ${KILLS} times at random under load`, () => {
  it.each([1, 2])(
    '%d programs on one log: dense, nothing lost, nothing twice',
    async (programs) => {
      await withBench(async (bench) => {
        bench.startWatching();
        let acknowledged = 0;
        for (let kill = 1; kill <= KILLS; kill++) {
          const processes = Array.from({ length: programs }, () => bench.start());
          await Promise.all(
            processes.map(async (process) => {
              await process.tell({ do: 'load', transactions: 4, appends: 4 });
              // Not a wait for something: the moment of the kill is what is drawn.
              await delay(Math.random() * LONGEST_LIFE_MS);
              await process.kill();
            }),
          );
          if (kill % 10 !== 0 && kill !== KILLS) continue;
          await (await heal(bench)).kill();
          acknowledged += bench.acknowledgements;
          if (bench.size > 5_000) await bench.beginLog();
        }
        expect(acknowledged).toBeGreaterThan(KILLS);
      });
    },
    KILLS * 6_000 + 60_000,
  );
});
