import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { WebhookReceiver } from '../fakes/webhook-receiver.js';
import { eventually } from '../support/eventually.js';
import { CrashBench } from './support/crash-bench.js';
import { HomeDatabase } from './support/home-database.js';
import { expectSound, remember } from './support/invariants.js';

const MODEL = 'fal-ai/flux/schnell';

/** SIGKILL while a vendor's SDK waits for the answer to a job that is accepted already (promises P2 and P4). */
describe('a call of an SDK whose answer was lost in a crash', () => {
  let bench: CrashBench;
  let receiver: WebhookReceiver;

  beforeAll(async () => {
    receiver = await WebhookReceiver.start();
    bench = await CrashBench.start({ COLOPHON_WEBHOOK_ALLOWED_HOSTS: receiver.host });
    await bench.openGateway(MODEL);
  }, 90_000);
  afterAll(async () => {
    await bench.stop();
    await receiver.stop();
  });

  it('finds its job when it is sent again: charged once, with the same id, and told of once', async () => {
    const before = await remember(bench);
    const { projectId } = bench.program.instance;
    const queue = `/gateway/fal/p/${projectId}/hero-image/queue`;
    const submit = () =>
      bench.program.request(`${queue}/${MODEL}?fal_webhook=${encodeURIComponent(receiver.url('/end'))}`, {
        method: 'POST',
        body: JSON.stringify({ prompt: 'a bottle on a table' }),
        headers: { 'content-type': 'application/json' },
      });
    const database = await HomeDatabase.open(bench.home);
    await database.pauseBefore({
      table: 'gateway_request',
      on: 'UPDATE',
      when: 'NEW.handing_over_until IS NOT NULL',
    });
    const lost = submit().then(
      () => 'answered',
      () => 'lost',
    );
    await database.paused();
    // A kill between the intent and its answer is another case: then nobody knows whether the vendor has the job.
    await eventually('the vendor has answered', async () => {
      const [step] = await database.query<{ state: string }>('SELECT state FROM step_run');
      return step === undefined || ['RESERVED', 'SUBMITTING'].includes(step.state) ? undefined : step;
    });
    await bench.program.kill();
    expect(await lost).toBe('lost');
    const [accepted] = await database.query<{ id: string }>('SELECT run_id AS id FROM gateway_job');
    await database.dropPaused('gateway_request');
    await database.close();

    await bench.restart();
    const again = await submit();
    const { request_id: id } = (await again.json()) as { request_id: string };
    expect([again.status, id]).toEqual([200, accepted?.id]);
    const address = `${queue}/fal-ai/flux/requests/${id}`;
    const result = await eventually(
      'the result is there',
      async () => {
        const answer = await bench.program.request(address);
        return answer.status === 200 ? ((await answer.json()) as { images: { url: string }[] }) : undefined;
      },
      60_000,
    );
    expect((await fetch(result.images[0]?.url ?? '')).status).toBe(200);
    expect(bench.fake.ledger()).toHaveLength(1);
    const [told] = await eventually('the client is told', () =>
      receiver.at('/end').length > 0 ? receiver.at('/end') : undefined,
    );
    expect(JSON.parse(told?.body ?? '{}')).toMatchObject({ request_id: id, status: 'OK' });
    await expectSound(bench, before);
  }, 120_000);
});
