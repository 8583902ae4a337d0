import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parsePublicId } from '../../src/shared/ids.js';
import { CrashBench, type RunView } from './support/crash-bench.js';
import { eventually } from './support/eventually.js';
import { HomeDatabase, type PausePoint } from './support/home-database.js';
import { expectSound, remember, type Remembered } from './support/invariants.js';

const stepBecomes = (state: string, key = 'generate'): PausePoint => ({
  table: 'step_run',
  on: 'UPDATE',
  when: `NEW.key = '${key}' AND NEW.state = '${state}' AND OLD.state <> NEW.state`,
});

/**
 * SIGKILL at every state of the step ledger, before and after each commit (promises P2 and P4). The moment is found
 * from outside: the vendor stops the answer, or the database stops the transaction just before its commit.
 */
describe('killed at every state of the step ledger', () => {
  let bench: CrashBench;
  let before: Remembered;

  beforeAll(async () => {
    bench = await CrashBench.start();
  }, 90_000);
  afterAll(() => bench.stop());

  const kill = async (): Promise<void> => {
    before = await remember(bench);
    await bench.program.kill();
  };

  /** Starts a run and kills the program when its transaction arrives at this change, which is then never committed. */
  const killBeforeCommitOf = async (point: PausePoint): Promise<RunView> => {
    const database = await HomeDatabase.open(bench.home);
    try {
      await database.pauseBefore(point);
      const run = await bench.startFalRun();
      await database.paused();
      await kill();
      await database.dropPaused(point.table);
      return run;
    } finally {
      await database.close();
    }
  };

  const killAfterCommitOf = async (point: PausePoint): Promise<RunView> => {
    const database = await HomeDatabase.open(bench.home);
    try {
      before = await remember(bench);
      const killed = new Promise<void>((resolve, reject) => {
        const hit = (): void => void bench.program.kill().then(resolve, reject);
        database.afterCommit(point, hit).catch(reject);
      });
      const run = await bench.startFalRun();
      await killed;
      await database.forgetCommits(point.table);
      return run;
    } finally {
      await database.close();
    }
  };

  /** Starts a run and kills the program when this message is on its way; the message is lost. */
  const killAtMessage = async (
    call: 'submit' | 'status' | 'file',
    at: 'arrival' | 'answer',
  ): Promise<RunView> => {
    const killed = new Promise<void>((resolve, reject) => {
      bench.gate.once(call, at, async () => {
        await kill().then(resolve, reject);
        return 'drop';
      });
    });
    const run = await bench.startFalRun();
    await killed;
    return run;
  };

  const expectSucceededOnce = async ({ id }: RunView): Promise<void> => {
    const run = await bench.runIn(id, 'SUCCEEDED', 'FAILED');
    expect(run.steps.map(({ state }) => state)).toEqual(['SUCCEEDED', 'SUCCEEDED', 'SUCCEEDED', 'SUCCEEDED']);
    expect(bench.chargesOf(run)).toHaveLength(1);
    await expectSound(bench, before);
  };

  it('RESERVED: accepted, nobody has begun', async () => {
    await bench.program.signal('SIGTERM');
    await bench.restart({ COLOPHON_ROLES: 'http,sequencer' });
    const run = await bench.startFalRun();
    await kill();
    expect(await bench.stateOf(run.id, 'generate')).toBe('RESERVED');
    await bench.restart();
    await expectSucceededOnce(run);
  });

  it('RESERVED: the intent is written but not committed', async () => {
    const run = await killBeforeCommitOf(stepBecomes('SUBMITTING'));
    expect(await bench.stateOf(run.id, 'generate')).toBe('RESERVED');
    expect(bench.chargesOf(run)).toHaveLength(0);
    await bench.restart();
    await expectSucceededOnce(run);
  });

  it('SUBMITTING: committed, the vendor has not got the request; a person says so and it is sent again', async () => {
    const run = await killAtMessage('submit', 'arrival');
    expect(await bench.stateOf(run.id, 'generate')).toBe('SUBMITTING');
    await bench.restart();
    const open = await bench.runIn(run.id, 'NEEDS_RECONCILIATION');
    expect(bench.chargesOf(open)).toHaveLength(0);
    await expectSound(bench, before);
    await bench.reconcile(run.id, { outcome: 'not_accepted' });
    await expectSucceededOnce(run);
  });

  it('SUBMITTING: the vendor has accepted, its answer was not read; a person names the job', async () => {
    bench.fake.plan({ webhook: 'none' });
    const run = await killAtMessage('submit', 'answer');
    expect(await bench.stateOf(run.id, 'generate')).toBe('SUBMITTING');
    await bench.restart();
    const open = await bench.runIn(run.id, 'NEEDS_RECONCILIATION');
    const [charge] = bench.chargesOf(open);
    await bench.reconcile(run.id, { outcome: 'accepted', upstreamId: charge?.requestId ?? '' });
    await expectSucceededOnce(run);
    const again = await bench.program.request(`/v1/runs/${run.id}/steps/generate/reconcile`, {
      method: 'POST',
      body: JSON.stringify({ outcome: 'not_accepted' }),
      headers: { 'content-type': 'application/json' },
    });
    expect(again.status).toBe(409);
  });

  it('SUBMITTING: the vendor has accepted, its answer was not read; its webhook tells', async () => {
    const run = await killAtMessage('submit', 'answer');
    expect(await bench.stateOf(run.id, 'generate')).toBe('SUBMITTING');
    await bench.restart();
    await expectSucceededOnce(run);
  });

  it('SUBMITTING: the answer was read, its commit was not made', async () => {
    bench.fake.plan({ webhook: 'none' });
    const run = await killBeforeCommitOf(stepBecomes('SUBMITTED'));
    expect(await bench.stateOf(run.id, 'generate')).toBe('SUBMITTING');
    await bench.restart();
    const open = await bench.runIn(run.id, 'NEEDS_RECONCILIATION');
    const [charge] = bench.chargesOf(open);
    await bench.reconcile(run.id, { outcome: 'accepted', upstreamId: charge?.requestId ?? '' });
    await expectSucceededOnce(run);
  });

  it('SUBMITTED: the vendor is at work', async () => {
    const run = await killAtMessage('status', 'arrival');
    expect(await bench.stateOf(run.id, 'generate')).toBe('SUBMITTED');
    await bench.restart();
    await expectSucceededOnce(run);
  });

  it('SUBMITTED: in the midst of the download', async () => {
    const run = await killAtMessage('file', 'answer');
    expect(await bench.stateOf(run.id, 'generate')).toBe('SUBMITTED');
    await bench.restart();
    await expectSucceededOnce(run);
  });

  it('SUBMITTED: the output is in the store, CAPTURED was not committed', async () => {
    const run = await killBeforeCommitOf(stepBecomes('CAPTURED'));
    expect(await bench.stateOf(run.id, 'generate')).toBe('SUBMITTED');
    await bench.restart();
    await expectSucceededOnce(run);
  });

  it('CAPTURED: committed, not yet signed', async () => {
    const run = await killAfterCommitOf(stepBecomes('CAPTURED'));
    expect(await bench.stateOf(run.id, 'generate')).toBe('CAPTURED');
    await bench.restart();
    await expectSucceededOnce(run);
  });

  it('CAPTURED: the signed file is in the store, its record and settlement were not committed', async () => {
    const run = await killBeforeCommitOf({
      table: 'audit_pending',
      on: 'INSERT',
      when: `NEW.entry_type = 'asset.signed'`,
    });
    expect(await bench.stateOf(run.id, 'generate')).toBe('CAPTURED');
    await bench.restart();
    await expectSucceededOnce(run);
  });

  it('SUCCEEDED: recorded and settled, the next step has not begun', async () => {
    const run = await killBeforeCommitOf(stepBecomes('SUBMITTING', 'cut-out'));
    expect(await bench.stateOf(run.id, 'generate')).toBe('SUCCEEDED');
    await bench.restart();
    await expectSucceededOnce(run);
  });

  it('a step on this machine is repeated without asking anybody', async () => {
    const run = await killBeforeCommitOf(stepBecomes('CAPTURED', 'upscale'));
    expect(await bench.stateOf(run.id, 'upscale')).toBe('SUBMITTING');
    await bench.restart();
    await expectSucceededOnce(run);
  });

  it('the log: entries about to get their index', async () => {
    const run = await killBeforeCommitOf({ table: 'audit_log', on: 'UPDATE' });
    await bench.restart();
    await expectSucceededOnce(run);
  });

  it('the log: tiles are written, the checkpoint is not', async () => {
    const run = await killBeforeCommitOf({ table: 'audit_checkpoint', on: 'INSERT' });
    await bench.restart();
    await expectSucceededOnce(run);
  });

  it('the log: the checkpoint is recorded, the world still sees the one before', async () => {
    const organization = parsePublicId('organization', bench.program.instance.organizationId) ?? '';
    const file = join(bench.home, 'logs', organization, 'checkpoint');
    const earlier = readFileSync(file);
    const run = await bench.startFalRun();
    await bench.runIn(run.id, 'SUCCEEDED');
    await kill();
    writeFileSync(file, earlier);
    await bench.restart();
    await expectSucceededOnce(run);
  });

  it('a report is made again, and is in the log once', async () => {
    const run = await bench.runIn((await bench.startFalRun()).id, 'SUCCEEDED');
    const assetId = run.steps.at(-1)?.assetId;
    const database = await HomeDatabase.open(bench.home);
    await database.pauseBefore({ table: 'report', on: 'UPDATE', when: `NEW.state = 'DONE'` });
    const { id } = await bench.post<{ id: string }>('/v1/reports', { kind: 'asset', format: 'pdf', assetId });
    await database.paused();
    await kill();
    await database.dropPaused('report');
    // The killed worker's hold on the job lasts minutes; here that time has passed.
    await database.query(`UPDATE pgboss.job SET expire_in = interval '1 second' WHERE name = 'report'`);
    await database.close();
    await bench.restart();
    const done = await eventually('the report is done', async () => {
      const report = await bench.program.json<{ state: string }>(`/v1/reports/${id}`);
      return report.state === 'DONE' || report.state === 'FAILED' ? report : undefined;
    });
    expect(done.state).toBe('DONE');
    await expectSound(bench, before);
    const { items } = await bench.program.json<{ items: unknown[] }>(`/v1/audit/entries?subject=${id}`);
    expect(items).toHaveLength(1);
  });

  it('a request that was killed before its commit has not happened, and its key can be used again', async () => {
    const point: PausePoint = { table: 'run', on: 'INSERT' };
    const idempotencyKey = randomUUID();
    const database = await HomeDatabase.open(bench.home);
    await database.pauseBefore(point);
    const lost = bench.post<RunView>('/v1/runs', bench.runBody({}), { idempotencyKey }).catch(() => 'lost');
    await database.paused();
    await kill();
    expect(await lost).toBe('lost');
    await database.dropPaused(point.table);
    await bench.restart();
    await database.close();
    await expect(bench.post('/v1/runs', bench.runBody({}), { idempotencyKey })).rejects.toThrow(
      'idempotency_in_flight',
    );
    const later = await HomeDatabase.open(bench.home);
    // The dead request's hold on the key lasts a minute; here that time has passed.
    await later.query(`UPDATE idempotency_key SET locked_until = now() WHERE key = $1`, [idempotencyKey]);
    await later.close();
    const run = await bench.post<RunView>('/v1/runs', bench.runBody({}), { idempotencyKey });
    const repeated = await bench.post<RunView>('/v1/runs', bench.runBody({}), { idempotencyKey });
    expect(repeated.id).toBe(run.id);
    await bench.runIn(run.id, 'SUCCEEDED');
    await expectSound(bench, before);
  });
});
