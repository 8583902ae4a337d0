import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parsePublicId } from '../../src/shared/ids.js';
import { CrashBench, type RunView } from './support/crash-bench.js';
import { eventually } from '../support/eventually.js';
import { HomeDatabase, type PausePoint } from './support/home-database.js';
import { expectSound, remember, type Remembered } from './support/invariants.js';
import { type VendorCall } from './support/vendor-gate.js';

const stepBecomes = (state: string, key = 'generate'): PausePoint => ({
  table: 'step_run',
  on: 'UPDATE',
  when: `NEW.key = '${key}' AND NEW.state = '${state}' AND OLD.state <> NEW.state`,
});

const entryOf = (type: string): PausePoint => ({
  table: 'audit_pending',
  on: 'INSERT',
  when: `NEW.entry_type = '${type}'`,
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

  /**
   * Prepares a kill: just before this change is committed, which then never is, or while this message is on its way,
   * which is lost. The database that is prepared may be one whose program is dead already.
   * @returns resolves when the program was killed there
   */
  const arm = async (point: PausePoint | VendorCall): Promise<() => Promise<void>> => {
    if (typeof point === 'string') {
      const killed = killAtMessageOnce(point, point === 'file' ? 'answer' : 'arrival');
      return () => killed;
    }
    await withDatabase((database) => database.pauseBefore(point));
    return () =>
      withDatabase(async (database) => {
        await database.paused();
        await kill();
        await database.dropPaused(point.table);
      });
  };

  const withDatabase = async <T>(work: (database: HomeDatabase) => Promise<T>): Promise<T> => {
    const database = await HomeDatabase.open(bench.home);
    try {
      return await work(database);
    } finally {
      await database.close();
    }
  };

  const killBeforeCommitOf = async (point: PausePoint): Promise<RunView> => {
    const reached = await arm(point);
    const run = await bench.startFalRun();
    await reached();
    return run;
  };

  const killAfterCommitOf = (point: PausePoint): Promise<RunView> =>
    withDatabase(async (database) => {
      before = await remember(bench);
      const killed = new Promise<void>((resolve, reject) => {
        const hit = (): void => void bench.program.kill().then(resolve, reject);
        database.afterCommit(point, hit).catch(reject);
      });
      const run = await bench.startFalRun();
      await killed;
      await database.forgetCommits(point.table);
      return run;
    });

  const killAtMessageOnce = (call: VendorCall, at: 'arrival' | 'answer'): Promise<void> =>
    new Promise((resolve, reject) => {
      bench.gate.once(call, at, async () => {
        await kill().then(resolve, reject);
        return 'drop';
      });
    });

  const killAtMessage = async (call: VendorCall, at: 'arrival' | 'answer'): Promise<RunView> => {
    const killed = killAtMessageOnce(call, at);
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

  it('one run, killed at each of its states in turn, goes on each time and is charged once', async () => {
    // [what the kill interrupts, the step and the state that the ledger has then]
    const moments: [PausePoint | VendorCall, string, string][] = [
      [stepBecomes('SUBMITTING'), 'generate', 'RESERVED'],
      ['status', 'generate', 'SUBMITTED'],
      ['file', 'generate', 'SUBMITTED'],
      [stepBecomes('CAPTURED'), 'generate', 'SUBMITTED'],
      [entryOf('asset.signed'), 'generate', 'CAPTURED'],
      [entryOf('step.settled'), 'generate', 'CAPTURED'],
      [stepBecomes('SUBMITTING', 'cut-out'), 'generate', 'SUCCEEDED'],
      [stepBecomes('CAPTURED', 'upscale'), 'upscale', 'SUBMITTING'],
      // The log: entries about to get their index; tiles written, but not the checkpoint.
      [{ table: 'audit_log', on: 'UPDATE' }, 'recolor', 'any'],
      [{ table: 'audit_checkpoint', on: 'INSERT' }, 'recolor', 'any'],
    ];
    let run: RunView | undefined;
    for (const [point, step, state] of moments) {
      const reached = await arm(point);
      if (run) await bench.restart();
      else run = await bench.startFalRun();
      await reached();
      const found = await bench.stateOf(run.id, step);
      expect({ point, found }).toEqual({ point, found: state === 'any' ? found : state });
    }
    await bench.restart();
    if (run) await expectSucceededOnce(run);
  }, 360_000);

  it('a list half done, a retry that is due, a person who is asked: killed at each, nothing is sent twice', async () => {
    const changed = (when: string): PausePoint => ({ table: 'step_run', on: 'UPDATE', when });
    bench.fake.plan({ submit: '429' });
    // So late that only the test makes it due: the kills that follow meet one item at work, never both.
    const run = await bench.startListRun({ backoffSeconds: 3_600 });
    await eventually('one item is made, the other waits for its retry', () =>
      withDatabase(async (database) => {
        const states = await database.query<{ state: string; waits: boolean }>(
          `SELECT state, retry_at IS NOT NULL AS waits FROM step_run WHERE key LIKE 'variant.%'`,
        );
        const waiting = states.some(({ state, waits }) => state === 'RESERVED' && waits);
        return (waiting && states.some(({ state }) => state === 'SUCCEEDED')) || undefined;
      }),
    );
    await kill();
    await withDatabase((database) => database.makeRetriesDue());
    for (const point of [
      changed(`NEW.key LIKE 'variant.%' AND NEW.state = 'CAPTURED' AND OLD.state = 'SUBMITTED'`),
      changed(`NEW.key = 'pick' AND NEW.state = 'WAITING' AND OLD.state <> 'WAITING'`),
    ]) {
      const reached = await arm(point);
      await bench.restart();
      await reached();
    }
    await bench.restart();
    await eventually(
      'a person is asked',
      async () => (await bench.stateOf(run.id, 'pick')) === 'WAITING' || undefined,
    );
    await kill();
    const reached = await arm(changed(`NEW.state = 'SUCCEEDED' AND OLD.state = 'WAITING'`));
    await bench.restart();
    const { steps } = await bench.run(run.id);
    const answer = () =>
      bench.post(`/v1/runs/${run.id}/steps/pick/answer`, { outcome: 'chosen', assetId: steps[0]?.assetId });
    const lost = answer().catch(() => 'lost');
    await reached();
    expect(await lost).toBe('lost');
    expect(await bench.stateOf(run.id, 'pick')).toBe('WAITING');
    await bench.restart();
    await answer();
    const ended = await bench.runIn(run.id, 'SUCCEEDED', 'FAILED', 'PARTIALLY_SUCCEEDED');
    expect(ended.steps.map(({ state }) => state)).toEqual([
      'SUCCEEDED',
      'SUCCEEDED',
      'SUCCEEDED',
      'SUCCEEDED',
    ]);
    const made = ended.steps.map(({ id }) => parsePublicId('stepRun', id));
    const charged = bench.fake.ledger().filter(({ stepRunId }) => made.includes(stepRunId));
    expect(charged.map(({ stepRunId }) => stepRunId).sort()).toEqual(made.slice(0, 2).sort());
    await expectSound(bench, before);
  }, 360_000);

  it('a retry whose answer was read and whose commit was not made is an unknown outcome', async () => {
    bench.fake.plan({ submit: '429' });
    const reached = await arm({
      table: 'step_run',
      on: 'UPDATE',
      when: 'NEW.retry_at IS NOT NULL AND OLD.retry_at IS NULL',
    });
    const run = await bench.startListRun({ backoffSeconds: 1 });
    await reached();
    await bench.restart();
    const open = await bench.runIn(run.id, 'NEEDS_RECONCILIATION');
    expect(open.steps.some(({ state }) => state === 'OUTCOME_UNKNOWN')).toBe(true);
    await eventually(
      'a person is asked',
      async () => {
        // The other item of the list may have been on its way as well.
        const { steps } = await bench.run(run.id);
        for (const step of steps.filter(({ state }) => state === 'OUTCOME_UNKNOWN'))
          await bench.lookUp(run.id, step);
        return (await bench.stateOf(run.id, 'pick')) === 'WAITING' || undefined;
      },
      60_000,
    );
    await bench.post(`/v1/runs/${run.id}/cancel`, {});
    await bench.runIn(run.id, 'CANCELED');
    await expectSound(bench, before);
  }, 360_000);

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
      body: JSON.stringify({ outcome: 'not_accepted', reason: 'asked the vendor' }),
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

  it('CAPTURED: committed, not yet signed', async () => {
    const run = await killAfterCommitOf(stepBecomes('CAPTURED'));
    expect(await bench.stateOf(run.id, 'generate')).toBe('CAPTURED');
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
    const reached = await arm({ table: 'report', on: 'UPDATE', when: `NEW.state = 'DONE'` });
    const { id } = await bench.post<{ id: string }>('/v1/reports', { kind: 'asset', format: 'pdf', assetId });
    await reached();
    // The killed worker's hold on the job lasts minutes; here that time has passed.
    await withDatabase((database) =>
      database.query(`UPDATE pgboss.job SET expire_in = interval '1 second' WHERE name = 'report'`),
    );
    await bench.restart();
    const done = await eventually('the report is done', async () => {
      const report = await bench.program.json<{ state: string }>(`/v1/reports/${id}`);
      return report.state === 'DONE' || report.state === 'FAILED' ? report : undefined;
    });
    expect(done.state).toBe('DONE');
    await expectSound(bench, before);
    const { items } = await bench.program.json<{ items: unknown[] }>(
      `/v1/audit/entries?type=report.created&subject=${id}`,
    );
    expect(items).toHaveLength(1);
  });

  it('a request that was killed before its commit has not happened, and its key can be used again', async () => {
    const idempotencyKey = randomUUID();
    const reached = await arm({ table: 'run', on: 'INSERT' });
    const lost = bench.post<RunView>('/v1/runs', bench.runBody({}), { idempotencyKey }).catch(() => 'lost');
    await reached();
    expect(await lost).toBe('lost');
    await bench.restart();
    await expect(bench.post('/v1/runs', bench.runBody({}), { idempotencyKey })).rejects.toThrow(
      'idempotency_in_flight',
    );
    // The dead request's hold on the key lasts a minute; here that time has passed.
    await withDatabase((database) =>
      database.query(`UPDATE idempotency_key SET locked_until = now() WHERE key = $1`, [idempotencyKey]),
    );
    const run = await bench.post<RunView>('/v1/runs', bench.runBody({}), { idempotencyKey });
    const repeated = await bench.post<RunView>('/v1/runs', bench.runBody({}), { idempotencyKey });
    expect(repeated.id).toBe(run.id);
    await bench.runIn(run.id, 'SUCCEEDED');
    await expectSound(bench, before);
  });
});
