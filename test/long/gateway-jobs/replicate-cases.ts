import { beforeAll, describe, expect, it } from '@jest/globals';
import Replicate, { type FileOutput, type Prediction, validateWebhook } from 'replicate';
import { parsePublicId } from '../../../src/shared/ids.js';
import { FAKE_DEPLOYED } from '../../fakes/replicate/fake-replicate.js';
import { addPerson, json } from '../../support/api.js';
import { eventually } from '../../support/eventually.js';
import { openGateway } from '../../support/gateway-world.js';
import { JOB_MODELS, type JobWorld } from '../../support/job-world.js';
import { noisePicture } from '../../support/pictures.js';

/** The unmodified client of Replicate against the whole product, with one line changed: its baseUrl. */

let world: JobWorld;
let key: string;
/** Of the same person: the sandbox stands in, which is faster than a vendor. */
let testKey: string;

interface Options {
  readonly auth?: string;
  readonly useCase?: string;
  readonly projectId?: string;
  readonly sent?: string[];
}

const client = ({ auth = key, useCase, projectId, sent = [] }: Options = {}) =>
  new Replicate({
    auth,
    baseUrl: `${world.root('replicate', useCase, projectId)}/v1`,
    fetch: (url, init) => {
      sent.push(`${init?.method ?? 'GET'} ${url instanceof Request ? url.url : url.toString()}`);
      return world.fetch(url, init);
    },
  });

const MODEL = JOB_MODELS.replicate;
let serial = 0;
const prompt = (): string => `a bottle of bitter orange, number ${++serial}`;
const charges = (): number => world.replicate.ledger.charges.length;

interface Refusal {
  response: Response;
  message: string;
}
async function refusalOf(asked: Promise<unknown>): Promise<{ status: number; message: string }> {
  const thrown = await asked.then(
    () => Promise.reject(new Error('it was not refused')),
    (error: unknown) => error as Refusal,
  );
  return { status: thrown.response.status, message: thrown.message };
}

async function isInTheLog(bytes: Uint8Array): Promise<boolean> {
  const form = new FormData();
  form.set('file', new Blob([new Uint8Array(bytes)]), 'a.png');
  const verified = await world.app.request('/v1/verify', { method: 'POST', body: form, key: null });
  return JSON.stringify(await verified.json()).includes('"status":"in_log"');
}

/** More jobs of the same client than a page holds, without making any. */
async function copyUntilThereAre(count: number, id: string): Promise<void> {
  const runId = parsePublicId('run', id);
  const { length } = (await client({ auth: testKey }).predictions.list()).results;
  await world.inspector.query(
    `WITH copied AS (
       INSERT INTO run (organization_id, id, project_id, use_case_id, pipeline_name, pipeline_version, definition,
                        sealed_inputs, mode, state, clearance_id, created_by, created_at, api_key_id)
       SELECT organization_id, gen_random_uuid(), project_id, use_case_id, pipeline_name, pipeline_version, definition,
              sealed_inputs, mode, 'CANCELED', clearance_id, created_by, created_at, api_key_id
         FROM run, generate_series(1, $2) WHERE id = $1 RETURNING organization_id, id)
     INSERT INTO gateway_job
     SELECT j.organization_id, copied.id, vendor, model, base_url, sealed_call, webhook_events, created_at
       FROM gateway_job j, copied WHERE j.run_id = $1`,
    [runId, count - length],
  );
}

/** @param started the product, once it runs */
export function replicateCases(started: () => JobWorld): void {
  beforeAll(async () => {
    world = started();
    ({ key } = await addPerson(world.app, ['creator']));
    ({ key: testKey } = await addPerson(world.app, ['creator'], { mode: 'test' }));
  });

  describe('run', () => {
    it('the example of the README: the output is a file whose bytes are signed', async () => {
      const seen: string[] = [];
      const output = (await client().run(MODEL, { input: { prompt: prompt() } }, ({ status }) =>
        seen.push(status),
      )) as FileOutput[];
      const [file] = output;
      expect(file?.url().href).toMatch(/^https:\/\/gateway\.example\/gateway\/files\/.*\.png$/);
      const blob = await file?.blob();
      expect(blob?.type).toBe('image/png');
      expect(await isInTheLog(new Uint8Array((await blob?.arrayBuffer()) ?? new ArrayBuffer(0)))).toBe(true);
      expect(seen.at(-1)).toBe('succeeded');
    });

    it('of a pinned version is one file where the model answers with one, and polls when it is told to', async () => {
      world.replicate.ledger.plan({ result: 'one' });
      const sent: string[] = [];
      const output = (await client({ sent }).run(JOB_MODELS.version, {
        input: { prompt: prompt() },
        wait: { mode: 'poll', interval: 50 },
      })) as FileOutput;
      expect((await output.blob()).type).toBe('image/png');
      expect(sent.filter((one) => one.startsWith('GET')).length).toBeGreaterThan(1);
      expect(world.replicate.ledger.attempts.at(-1)?.body).toMatchObject({ version: 'a1'.repeat(32) });
    });

    it('says why a prediction failed', async () => {
      world.replicate.ledger.plan({ result: 'failed' });
      await expect(client().run(MODEL, { input: { prompt: prompt() } })).rejects.toThrow(
        /Prediction failed: .*the prediction failed on replicate.*\(generation_failed\)/,
      );
    });

    it('uploads a file first, which becomes the parent of what is made', async () => {
      const image = Buffer.from(await noisePicture());
      const output = (await client({ auth: testKey }).run(MODEL, {
        input: { prompt: prompt(), input_image: image },
      })) as FileOutput[];
      const [, assetId = ''] = /(ast_[0-9a-f]+)\.png$/.exec(output[0]?.url().href ?? '') ?? [];
      const lineage = await (await world.app.request(`/v1/assets/${assetId}/lineage`)).text();
      expect(lineage).toContain('"relationship":"parentOf"');
      expect(lineage).toContain('"origin":"upload"');
    });

    it.each(['sandbox:outcome-unknown', 'sandbox:timeout'])(
      'with a test key ends as failed for %s: nothing of the sandbox turns up again',
      async (word) => {
        const asked = client({ auth: testKey }).run('colophon/sandbox-generator', {
          input: { prompt: `${prompt()} ${word}` },
        });
        await expect(asked).rejects.toThrow(/outcome_unknown/);
      },
    );

    it('passes no key of ours on, as the client adds it to inputs with files as data URIs', async () => {
      const [before, image] = [charges(), Buffer.from(await noisePicture())];
      const replicate = new Replicate({
        auth: key,
        baseUrl: `${world.root('replicate')}/v1`,
        fileEncodingStrategy: 'data-uri',
      });
      const refusal = await refusalOf(
        replicate.predictions.create({ model: MODEL, input: { prompt: prompt(), auth: key, image } }),
      );
      expect(refusal).toMatchObject({
        status: 422,
        message: expect.stringContaining('holds an API key of this service'),
      });
      expect(refusal.message).not.toContain(key);
      expect(charges()).toBe(before);
    });

    it('with a test key gives as many as are wanted, by the sandbox', async () => {
      const before = charges();
      const input = { prompt: prompt(), num_outputs: 2, aspect_ratio: '16:9' };
      const output = await client({ auth: testKey }).run('colophon/sandbox-generator', { input });
      expect(output).toHaveLength(2);
      expect(charges()).toBe(before);
    });
  });

  describe('predictions', () => {
    const test = () => client({ auth: testKey });
    const ended = (id: string) =>
      eventually('it is over', async () => {
        const prediction = await test().predictions.get(id);
        return prediction.status === 'succeeded' ? prediction : undefined;
      });

    it('are created at once, asked for, and listed page by page, newest first', async () => {
      const words = prompt();
      const created = await test().predictions.create({ model: MODEL, input: { prompt: words } });
      expect(created).toMatchObject({
        status: 'starting',
        model: MODEL,
        input: { prompt: words },
        output: null,
      });
      const root = world.root('replicate').replace(world.app.url, 'https://gateway.example');
      expect(created.urls).toEqual({
        get: `${root}/v1/predictions/${created.id}`,
        cancel: `${root}/v1/predictions/${created.id}/cancel`,
      });
      expect(await ended(created.id)).toMatchObject({
        id: created.id,
        input: { prompt: words },
        output: [expect.stringContaining('https://gateway.example/gateway/files/')],
        error: null,
        completed_at: expect.any(String),
      });
      await copyUntilThereAre(101, created.id);
      const pages: Prediction[][] = [];
      for await (const page of test().paginate(() => test().predictions.list())) pages.push(page);
      expect(pages.map(({ length }) => length)).toEqual([100, 1]);
      const ids = pages.flat().map(({ id }) => id);
      expect(ids).toEqual([...ids].sort().reverse());
      const read = async (address: string) => {
        const answer = await world.fetch(address, { headers: { authorization: `Bearer ${testKey}` } });
        return (await answer.json()) as {
          previous: string | null;
          next: string | null;
          results: Prediction[];
        };
      };
      const first = await read(`${root}/v1/predictions`);
      const second = await read(first.next ?? '');
      expect([first.previous, second.next, second.results.length]).toEqual([null, null, 1]);
      const back = await read(second.previous ?? '');
      expect(back.results.map(({ id }) => id)).toEqual(ids.slice(0, 100));
      expect([back.previous, back.next]).toEqual([null, first.next]);
    });

    it('wait as long as they are told to, and are "starting" until they are over', async () => {
      world.replicate.ledger.plan({ pendingPolls: 1000 });
      const waited = await client().predictions.create({
        model: MODEL,
        input: { prompt: prompt() },
        wait: 1,
      });
      expect(waited).toMatchObject({ status: 'starting', output: null });
      const running = await eventually('it is at work', async () => {
        const prediction = await client().predictions.get(waited.id);
        return prediction.status === 'processing' ? prediction : undefined;
      });
      expect(running.started_at).toEqual(expect.any(String));
      const runs = (await world.inspector.query('SELECT 1 FROM run')).length;
      await client().predictions.get(waited.id);
      expect((await world.inspector.query('SELECT 1 FROM run')).length).toBe(runs);
      // What the vendor has is paid for: it goes on, and nothing new is sent.
      expect(['processing', 'canceled']).toContain((await client().predictions.cancel(waited.id)).status);
      const [run] = await world.inspector.query<{ cancel_requested_at: Date | null }>(
        'SELECT cancel_requested_at FROM run WHERE id = $1',
        [parsePublicId('run', waited.id)],
      );
      expect(run?.cancel_requested_at).toBeInstanceOf(Date);
    });

    it('of deployments go to the deployment', async () => {
      const created = await client().deployments.predictions.create('brand', 'shop', {
        input: { prompt: prompt() },
      });
      expect(created).toMatchObject({ status: 'starting', ...FAKE_DEPLOYED, deployment: 'brand/shop' });
      await eventually('it was sent', () =>
        world.replicate.ledger.attempts.find(({ path }) => path === '/v1/deployments/brand/shop/predictions'),
      );
    });

    it('of deployments that run another model by now are not signed, and are paid', async () => {
      world.replicate.deployed = { model: 'own/deployed', version: 'hidden' };
      const before = charges();
      const created = await client().deployments.predictions.create('brand', 'shop', {
        input: { prompt: prompt() },
        wait: true,
      });
      world.replicate.deployed = FAKE_DEPLOYED;
      expect(created).toMatchObject({ status: 'failed', output: null });
      const [step] = await world.inspector.query<{ error_code: string; output_asset_id: string | null }>(
        'SELECT error_code, output_asset_id FROM step_run WHERE run_id = $1',
        [parsePublicId('run', created.id)],
      );
      expect(step).toEqual({ error_code: 'upstream_invalid', output_asset_id: null });
      expect(charges()).toBe(before + 1);
      const [paid] = await world.inspector.query<{ amount: string }>(
        `SELECT amount_micro_usd AS amount FROM money_movement m JOIN step_run s ON s.id = m.step_run_id
          WHERE s.run_id = $1 AND m.kind = 'settlement'`,
        [parsePublicId('run', created.id)],
      );
      expect(paid?.amount).toBe('5000');
    });

    it('canceled after the end stay as they are', async () => {
      const { id } = await test().predictions.create({
        model: MODEL,
        input: { prompt: prompt() },
        wait: true,
      });
      expect(await test().predictions.cancel(id)).toMatchObject({ id, status: 'succeeded' });
    });
  });

  describe('files', () => {
    it('are created, shown and forgotten', async () => {
      const replicate = client({ auth: testKey });
      const file = await replicate.files.create(Buffer.from(await noisePicture()), { purpose: 'a test' });
      expect(file).toMatchObject({
        content_type: 'image/png',
        urls: { get: expect.stringContaining(file.id) },
      });
      expect(await replicate.files.get(file.id)).toEqual(file);
      expect(await replicate.files.delete(file.id)).toBe(true);
      expect(await refusalOf(replicate.files.get(file.id))).toMatchObject({ status: 404 });
      const input = { prompt: prompt(), input_image: file.urls.get };
      const refused = await refusalOf(replicate.predictions.create({ model: MODEL, input }));
      expect(refused).toMatchObject({ status: 404 });
      expect(await refusalOf(replicate.files.create(Buffer.from('no picture at all')))).toMatchObject({
        status: 422,
      });
    });
  });

  describe('webhooks', () => {
    it('come for the wanted events, and the library checks them with our secret', async () => {
      const replicate = client({ auth: testKey });
      const created = await replicate.predictions.create({
        model: MODEL,
        input: { prompt: prompt() },
        webhook: world.receiver.url('/all'),
        webhook_events_filter: ['start', 'output', 'completed'],
      });
      await eventually('all three came', () => world.receiver.at('/all').length === 3 || undefined);
      const { key: secret } = await replicate.webhooks.default.secret.get();
      const told = new Map<string, Prediction>();
      for (const { headers, body } of world.receiver.at('/all')) {
        const prediction = JSON.parse(body) as Prediction;
        expect(prediction.id).toBe(created.id);
        told.set(`${prediction.status} ${prediction.output === null ? 'nothing' : 'output'}`, prediction);
        const signed = {
          id: String(headers['webhook-id']),
          timestamp: String(headers['webhook-timestamp']),
          signature: String(headers['webhook-signature']),
          secret,
        };
        expect(await validateWebhook({ ...signed, body })).toBe(true);
        expect(await validateWebhook({ ...signed, body: `${body} ` })).toBe(false);
      }
      expect([...told.keys()].sort()).toEqual([
        'processing nothing',
        'processing output',
        'succeeded output',
      ]);
      const other = await client().webhooks.default.secret.get();
      expect(other.key).not.toBe(secret);
      const nowhere = client({ projectId: `prj_${'0'.repeat(32)}` }).webhooks.default.secret.get();
      expect(await refusalOf(nowhere)).toMatchObject({ status: 404 });
    });

    it('come in the order in which things happened, the end last, all of them', async () => {
      const replicate = client({ auth: testKey });
      const ids: string[] = [];
      for (let job = 0; job < 5; job++) {
        const { id } = await replicate.predictions.create({
          model: MODEL,
          input: { prompt: prompt() },
          webhook: world.receiver.url(`/ordered-${job}`),
          webhook_events_filter: ['start', 'output', 'completed'],
        });
        ids.push(id);
      }
      for (const [job, id] of ids.entries()) {
        const told = () =>
          world.receiver.at(`/ordered-${job}`).map(({ body }) => JSON.parse(body) as Prediction);
        await eventually('the end was told', () => told().find(({ status }) => status === 'succeeded'));
        const seen = told().map(({ status, output }) => `${status} ${output === null ? 0 : 1}`);
        expect(seen).toEqual(['processing 0', 'processing 1', 'succeeded 1']);
        await eventually('all were recorded as delivered', async () => {
          const { items } = (await (await world.app.request(`/v1/runs/${id}/webhooks`)).json()) as {
            items: { state: string }[];
          };
          return items.filter(({ state }) => state === 'delivered').length === 3 || undefined;
        });
      }
    });

    it('that were not taken are not sent after the end', async () => {
      world.receiver.plan(500, 500);
      const { id } = await client({ auth: testKey }).predictions.create({
        model: MODEL,
        input: { prompt: prompt() },
        webhook: world.receiver.url('/superseded'),
        webhook_events_filter: ['start', 'output', 'completed'],
      });
      type Shown = { items: { event: string; state: string; lastError: string | null }[] };
      const items = await eventually('nothing is due any more', async () => {
        const shown = (await (await world.app.request(`/v1/runs/${id}/webhooks`)).json()) as Shown;
        const isOver = shown.items.length === 3 && shown.items.every(({ state }) => state !== 'due');
        return isOver ? shown.items : undefined;
      });
      expect(items.map(({ event, state }) => [event, state])).toEqual([
        ['start', 'given_up'],
        ['output', 'given_up'],
        ['completed', 'delivered'],
      ]);
      const last = world.receiver.at('/superseded').at(-1);
      expect(JSON.parse(last?.body ?? '{}')).toMatchObject({ status: 'succeeded' });
    });

    it('go to no address inside', async () => {
      const asked = { model: MODEL, input: { prompt: prompt() }, webhook: 'https://10.0.0.1/hook' };
      const refusal = await refusalOf(client().predictions.create(asked));
      expect(refusal).toMatchObject({ status: 422, message: expect.stringContaining('url_blocked') });
    });
  });

  describe('refusals', () => {
    it.each([
      ['a model that is not known', { model: 'stability-ai/sdxl' }, 422, 'unknown_model'],
      ['a version that is not known', { version: 'b'.repeat(64) }, 422, 'unknown_model'],
      [
        'a file that lies elsewhere',
        { model: MODEL, input: { image: 'https://10.0.0.1/a.png' } },
        422,
        'url_blocked',
      ],
      [
        'weights that were not cleared',
        { model: MODEL, input: { prompt: 'x', lora_weights: 'x' } },
        422,
        'invalid_request',
      ],
      ['too many', { model: MODEL, input: { prompt: 'x', num_outputs: 11 } }, 422, 'invalid_request'],
      [
        'an event that there is not',
        { model: MODEL, input: {}, webhook_events_filter: ['paid'] },
        422,
        'invalid_request',
      ],
    ])('of %s come before anything is spent, once', async (_, asked, status, code) => {
      const sent: string[] = [];
      const before = charges();
      const refusal = await refusalOf(client({ sent }).predictions.create({ input: {}, ...asked } as never));
      expect(refusal).toMatchObject({ status, message: expect.stringContaining(`"${code}"`) });
      expect([sent.length, charges()]).toEqual([1, before]);
    });

    it('of what is not here name what is', async () => {
      const replicate = client();
      for (const asked of [
        replicate.models.get('brand', 'look'),
        replicate.trainings.list(),
        replicate.hardware.list(),
        replicate.accounts.current(),
        replicate.deployments.list(),
      ])
        expect(await refusalOf(asked)).toMatchObject({
          status: 404,
          message: expect.stringContaining('does not pass this on'),
        });
      const stream = replicate.stream(MODEL, { input: { prompt: prompt() } });
      await expect(stream.next()).rejects.toThrow('does not support streaming');
    });

    it("of somebody else's predictions and files are the same as of none", async () => {
      const { id } = await client({ auth: testKey }).predictions.create({
        model: MODEL,
        input: { prompt: prompt() },
      });
      const file = await client({ auth: testKey }).files.create(Buffer.from(await noisePicture()));
      await world.newUseCase('other-predictions');
      await openGateway(world.app, {}, 'other-predictions');
      const colleague = await addPerson(world.app, ['creator'], { mode: 'test' });
      const project = (await (
        await world.app.request('/v1/projects', json({ name: 'another project' }))
      ).json()) as {
        id: string;
      };
      // An address that leads to no use case is told as such, by lists, too.
      const elsewhere = client({ auth: testKey, projectId: project.id });
      expect(await refusalOf(elsewhere.predictions.list())).toMatchObject({ status: 404 });
      const sameName = json({ name: 'hero-image' });
      await world.app.request(`/v1/projects/${project.id}/use-cases`, sameName);
      for (const other of [
        client({ auth: colleague.key }),
        client({ auth: testKey, useCase: 'other-predictions' }),
        elsewhere,
        client(),
      ]) {
        for (const asked of [
          other.predictions.get(id),
          other.predictions.cancel(id),
          other.files.get(file.id),
        ])
          expect(await refusalOf(asked)).toMatchObject({ status: 404 });
        expect((await other.predictions.list()).results.map((one) => one.id)).not.toContain(id);
      }
    });
  });

  describe('sent twice', () => {
    it('a create whose answer was lost finds the same prediction', async () => {
      const body = JSON.stringify({ input: { prompt: prompt() } });
      const create = async () => {
        const answer = await fetch(`${world.root('replicate')}/v1/models/${MODEL}/predictions`, {
          method: 'POST',
          body,
          headers: { authorization: `Bearer ${testKey}`, 'content-type': 'application/json', prefer: 'wait' },
        });
        return ((await answer.json()) as Prediction).id;
      };
      const [one, two] = await Promise.all([create(), create()]);
      expect(one).toBe(two);
      expect(await create()).not.toBe(one);
    });
  });
}
