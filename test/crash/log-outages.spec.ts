import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from '../support/eventually.js';
import { AnswerCutter } from './log/answer-cutter.js';
import { type CompiledProgram, compileProgram } from './log/compiled-program.js';
import { LogBench } from './log/log-bench.js';
import { type LogProcess } from './log/log-process.js';
import { LogServer } from './log/log-server.js';

/** `COLOPHON_LOG_POSTGRES_KILLS=20` and `COLOPHON_LOG_CUTS=50` for a long campaign. */
const POSTGRES_KILLS = Number(process.env.COLOPHON_LOG_POSTGRES_KILLS ?? 2);
const CUTS = Number(process.env.COLOPHON_LOG_CUTS ?? 1);
/** `COLOPHON_LOG_SMALL_DISKS=1`, as root: also file systems that really are full. */
const SMALL_DISKS = process.env.COLOPHON_LOG_SMALL_DISKS !== undefined;
const LOAD = { do: 'load', transactions: 4, appends: 4 } as const;

let server: LogServer;
let program: CompiledProgram;
let bench: LogBench;
beforeAll(async () => {
  program = compileProgram();
  server = await LogServer.start();
}, 60_000);
afterAll(async () => {
  await server.stop();
  program.remove();
});
beforeEach(async () => {
  bench = await LogBench.open(server, program);
});
afterEach(() => bench.close());

/** The load goes on: more is acknowledged than before, and more is published. */
async function progress(process: LogProcess, what: string): Promise<void> {
  const acknowledged = bench.acknowledgements;
  const published = await bench.publishedSize();
  await eventually(`${what}: entries are acknowledged and published`, async () => {
    if (!process.isAlive()) throw new Error(`the program ended: ${await process.end()}`);
    return (
      (bench.acknowledgements > acknowledged + 20 && (await bench.publishedSize()) > published) || undefined
    );
  });
}

/** Also: every refused caller was told so in words that the product defines. */
async function rest(process: LogProcess): Promise<void> {
  await process.tell({ do: 'stop' });
  expect(process.refused.filter(({ code }) => code !== 'audit_unavailable')).toEqual([]);
  await eventually('it comes to rest', async () => {
    const { failure } = await process.tell({ do: 'settle' });
    return failure === undefined || undefined;
  });
  await bench.expectSound();
  await process.kill();
}

describe('PostgreSQL', () => {
  it(
    `killed ${POSTGRES_KILLS} times under load: the program lives on, and the log is whole`,
    async () => {
      bench.startWatching();
      const process = bench.start();
      await process.tell(LOAD);
      for (let kill = 0; kill < POSTGRES_KILLS; kill++) {
        await progress(process, 'before the kill');
        await server.kill();
        await server.restart();
      }
      await progress(process, 'after the last kill');
      expect(process.refused.length).toBeGreaterThan(0);
      await rest(process);
    },
    60_000 + POSTGRES_KILLS * 10_000,
  );

  it.each([
    'COMMIT',
    'log_writer_swap',
    'pg_advisory_unlock_all',
    'INSERT INTO audit_checkpoint',
    'FROM audit_cosignature',
  ])(
    'whose answer to %s is lost: each fact is in the log at most once, an acknowledged one always',
    async (statement) => {
      const { applicationUrl, sequencerUrl } = bench.database;
      const cutters = await Promise.all([
        AnswerCutter.start(sequencerUrl, statement, 3),
        ...(statement === 'COMMIT' ? [AnswerCutter.start(applicationUrl, statement, 3)] : []),
      ]);
      const [forSequencer, forApplication] = cutters;
      bench.startWatching();
      const process = bench.start({
        sequencerUrl: forSequencer?.through(sequencerUrl) ?? '',
        applicationUrl: forApplication?.through(applicationUrl) ?? applicationUrl,
      });
      await process.tell(LOAD);
      await eventually(
        'enough answers were lost',
        async () => {
          if (!process.isAlive()) throw new Error(`the program ended: ${await process.end()}`);
          return Math.min(...cutters.map((cutter) => cutter.fewestCuts())) >= CUTS || undefined;
        },
        60_000 + CUTS * 20_000,
      );
      await rest(process);
      await Promise.all(cutters.map((cutter) => cutter.stop()));
    },
    120_000 + CUTS * 20_000,
  );
});

/** A file that is not there is not there, whatever comes after: that is how it is known that none was left. */
const HARMLESS = {
  fails: /^(rm|readdir|unlink|close)/,
  fails_after: /^(rm|readdir|unlink|close|read tile)/,
} as const;

describe('the store', () => {
  it.each(['fails', 'fails_after'] as const)(
    'that %s at the n-th call, for every n of a round that fills a tile: the next round makes up for it',
    async (at) => {
      const process = bench.start();
      await process.tell({ do: 'settle' });
      for (let n = 1, hit = true; hit; n++) {
        await bench.commit(255);
        const { file, failure } = await process.tell({ do: 'round', fault: { kind: 'file', at, n } });
        hit = file.length >= n;
        if (hit && failure === undefined) expect(file[n - 1]).toMatch(HARMLESS[at]);
        expect(await process.tell({ do: 'settle' })).not.toHaveProperty('failure');
        expect(bench.leftovers()).toEqual([]);
        if (hit && n % 3 !== 0) continue;
        await bench.expectSound();
        await bench.beginLog(process);
        await process.tell({ do: 'settle' });
      }
      await process.kill();
    },
    300_000,
  );

  it('that fails again and again at the first publication does not lock the log for ever', async () => {
    const process = bench.start();
    await process.tell({ do: 'settle' });
    for (let n = 1, hit = true; hit; n++) {
      await bench.beginLog(process);
      for (let failures = 0; failures < 3; failures++) {
        await bench.commit(2);
        const { file } = await process.tell({ do: 'round', fault: { kind: 'file', at: 'fails', n } });
        hit = file.length >= n;
      }
      expect(await process.tell({ do: 'settle' })).not.toHaveProperty('failure');
      await bench.expectSound();
    }
    await process.kill();
  }, 120_000);

  it('that is full under load: entries are acknowledged, nothing is published, and all of it when there is space', async () => {
    bench.startWatching();
    const process = bench.start();
    await process.tell(LOAD);
    await progress(process, 'before the disk is full');
    await process.tell({ do: 'disk', full: true });
    await eventually('the sequencer complains', () => process.trouble.length > 5 || undefined);
    const published = await bench.publishedSize();
    const acknowledged = bench.acknowledgements;
    await eventually(
      'entries are acknowledged',
      () => bench.acknowledgements > acknowledged + 20 || undefined,
    );
    expect(await bench.publishedSize()).toBe(published);
    // Each failed round cleans up: a full disk is not filled further.
    expect(bench.leftovers().length).toBeLessThan(10);
    await process.tell({ do: 'disk', full: false });
    await progress(process, 'after there is space');
    await rest(process);
    expect(bench.leftovers()).toEqual([]);
  }, 60_000);
});

/** What the injected errors above stand for: needs root to mount, so it is run by hand. */
if (SMALL_DISKS) {
  const mounted: string[] = [];
  const mount = (folder: string, size: string): void => {
    mkdirSync(folder, { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=755`, 'tmpfs', folder]);
    mounted.push(folder);
  };
  const enlarge = (folder: string, size: string): void =>
    void execFileSync('mount', ['-o', `remount,size=${size}`, folder]);
  afterEach(() => {
    for (const folder of mounted.splice(0)) execFileSync('umount', ['--lazy', folder]);
  });

  describe('a small file system', () => {
    it('under the store fills up: nothing is lost, and it is published when there is space', async () => {
      const folder = join(bench.home, 'logs');
      mount(folder, '1500k');
      bench.startWatching();
      const process = bench.start();
      await process.tell(LOAD);
      await eventually(
        'it is full',
        () => process.trouble.filter((words) => words.includes('ENOSPC')).length > 10 || undefined,
        180_000,
      );
      const acknowledged = bench.acknowledgements;
      await eventually(
        'entries are acknowledged',
        () => bench.acknowledgements > acknowledged + 20 || undefined,
      );
      enlarge(folder, '512m');
      await progress(process, 'after there is space');
      await rest(process);
      expect(bench.leftovers()).toEqual([]);
    }, 300_000);

    it('under PostgreSQL fills up: callers are refused with audit_unavailable, and it goes on when there is space', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'colophon-small-'));
      mount(folder, '300m');
      const small = await LogServer.start(join(folder, 'home'));
      const filler = join(folder, 'filler');
      const onSmall = await LogBench.open(small, program);
      onSmall.startWatching();
      const process = onSmall.start();
      await process.tell(LOAD);
      await eventually('entries are acknowledged', () => onSmall.acknowledgements > 50 || undefined);
      for (let megabytes = 0; ; megabytes++) {
        try {
          writeFileSync(filler, Buffer.alloc(1_000_000), { flag: 'a' });
        } catch {
          break;
        }
      }
      // First there is no space for tables; then none for the write-ahead log, and the server ends itself.
      let ended = false;
      void small.died().then(() => (ended = true));
      await eventually('callers are refused', () => process.refused.length > 50 || undefined);
      for (let segments = 0; segments < 60 && !ended; segments++) await onSmall.switchWriteAheadLog();
      rmSync(filler);
      if (ended) await small.restart();
      const acknowledged = onSmall.acknowledgements;
      await eventually(
        'entries are acknowledged again',
        () => onSmall.acknowledgements > acknowledged + 20 || undefined,
      );
      await process.tell({ do: 'stop' });
      expect(process.refused.filter(({ code }) => code !== 'audit_unavailable')).toEqual([]);
      expect(await process.tell({ do: 'settle' })).not.toHaveProperty('failure');
      await onSmall.expectSound();
      await onSmall.close();
      await small.stop();
    }, 300_000);
  });
}
