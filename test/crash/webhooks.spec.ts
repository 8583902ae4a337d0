import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parsePublicId } from '../../src/shared/ids.js';
import { CrashBench, type RunView } from './support/crash-bench.js';
import { eventually } from '../support/eventually.js';
import { expectSound, remember, type Remembered } from './support/invariants.js';

/** The vendor's webhooks against the running program: signed, delivered at least once, in any order, by anybody. */
describe('webhooks', () => {
  let bench: CrashBench;
  let before: Remembered;

  beforeAll(async () => {
    bench = await CrashBench.start();
    before = await remember(bench);
  }, 90_000);
  afterAll(() => bench.stop());

  const stepRunIdOf = (run: RunView): string =>
    parsePublicId('stepRun', run.steps.find(({ key }) => key === 'generate')?.id ?? '') ?? '';

  /** The last part of the address that the vendor was given for a step. */
  const addressOf = (stepRunId: string): string => {
    const charge = bench.fake.ledger().find((each) => each.stepRunId === stepRunId);
    return charge?.webhookUrl === undefined ? stepRunId : (charge.webhookUrl.split('/').at(-1) ?? '');
  };

  const deliver = async (
    stepRunId: string,
    requestId: string,
    options: { atMs?: number; forged?: boolean; body?: object; address?: string } = {},
  ): Promise<number> => {
    const body = Buffer.from(JSON.stringify(options.body ?? { request_id: requestId, status: 'OK' }));
    const address = options.address ?? addressOf(stepRunId);
    const answer = await fetch(`http://127.0.0.1:${bench.port}/v1/webhooks/fal/${address}`, {
      method: 'POST',
      headers: bench.fake.webhooks.signedHeaders(requestId, body, options),
      body: new Uint8Array(body),
    });
    await answer.arrayBuffer();
    return answer.status;
  };

  const expectSucceededOnce = async ({ id }: RunView): Promise<void> => {
    const run = await bench.runIn(id, 'SUCCEEDED', 'FAILED');
    expect(run.state).toBe('SUCCEEDED');
    expect(bench.chargesOf(run)).toHaveLength(1);
    await expectSound(bench, before);
  };

  /** A run whose submit the vendor accepts without ever answering, until nobody knows what became of it. */
  const lostRun = async (plan: Parameters<typeof bench.fake.plan>[0]): Promise<RunView> => {
    bench.fake.plan({ submit: 'reset-after-accept', ...plan });
    return bench.startFalRun();
  };

  it('delivered twice, and again when everything is over: one effect', async () => {
    bench.fake.plan({ webhook: 'duplicate' });
    const run = await bench.startFalRun();
    await bench.runIn(run.id, 'SUCCEEDED');
    const [charge] = bench.chargesOf(run);
    await eventually('both copies are delivered', () => {
      const copies = bench.fake
        .webhookDeliveries()
        .filter(({ requestId, outcome }) => requestId === charge?.requestId && outcome === 200);
      return copies.length === 2 || undefined;
    });
    await expectSucceededOnce(run);
    const earlier = await remember(bench);
    expect(await deliver(stepRunIdOf(run), charge?.requestId ?? '')).toBe(200);
    expect((await remember(bench)).leaves).toEqual(earlier.leaves);
    await expectSucceededOnce(run);
  });

  it('before the answer to the submit: the answer and the webhook name the same job', async () => {
    const early = new Promise<number>((resolve, reject) => {
      bench.gate.once('submit', 'answer', async () => {
        const charge = bench.fake.ledger().at(-1);
        await deliver(charge?.stepRunId ?? '', charge?.requestId ?? '').then(resolve, reject);
        return 'pass';
      });
    });
    bench.fake.plan({ webhook: 'none' });
    const run = await bench.startFalRun();
    expect(await early).toBe(200);
    await expectSucceededOnce(run);
  });

  it('before an answer that never comes: the run goes on without a person', async () => {
    bench.gate.once('submit', 'answer', async () => {
      const charge = bench.fake.ledger().at(-1);
      await deliver(charge?.stepRunId ?? '', charge?.requestId ?? '');
      return 'drop';
    });
    bench.fake.plan({ webhook: 'none' });
    await expectSucceededOnce(await bench.startFalRun());
  });

  it('late: it ends the uncertainty that had been recorded', async () => {
    const run = await lostRun({ webhook: 'none' });
    const open = await bench.runIn(run.id, 'NEEDS_RECONCILIATION');
    const [charge] = bench.chargesOf(open);
    expect(await deliver(stepRunIdOf(run), charge?.requestId ?? '')).toBe(200);
    await expectSucceededOnce(run);
    const { items } = await bench.program.json<{ items: { entry: { type: string } }[] }>(
      `/v1/audit/entries?subject=${open.steps[0]?.id ?? ''}`,
    );
    expect(items.map(({ entry }) => entry.type)).toEqual([
      'step.submitted',
      'step.outcome_unknown',
      'step.reconciled',
      'step.settled',
    ]);
  });

  it('forged, stale, altered or for another step: refused or without effect', async () => {
    const run = await lostRun({ webhook: 'forged' });
    const open = await bench.runIn(run.id, 'NEEDS_RECONCILIATION');
    const [charge] = bench.chargesOf(open);
    const requestId = charge?.requestId ?? '';
    await eventually('the forged delivery has come', () =>
      bench.fake.webhookDeliveries().find((delivery) => delivery.requestId === requestId),
    );
    expect(bench.fake.webhookDeliveries().find((each) => each.requestId === requestId)?.outcome).toBe(401);
    const stepRunId = stepRunIdOf(run);
    expect(await deliver(stepRunId, requestId, { forged: true })).toBe(401);
    expect(await deliver(stepRunId, requestId, { atMs: Date.now() - 3_600_000 })).toBe(401);
    // Another customer of the vendor, whose signatures are made with the same keys, knows the id of the step alone.
    expect(await deliver(stepRunId, randomUUID(), { address: stepRunId })).toBe(200);
    expect(await deliver(randomUUID(), requestId)).toBe(200);
    expect(await deliver('not-a-step', requestId)).toBe(200);
    expect(
      await deliver(stepRunId, requestId, { body: { request_id: randomUUID(), status: 'OK' } }),
    ).toBeGreaterThanOrEqual(400);
    expect((await bench.run(run.id)).state).toBe('NEEDS_RECONCILIATION');
    await bench.reconcile(run.id, { outcome: 'accepted', upstreamId: requestId });
    await expectSucceededOnce(run);
  });
});
