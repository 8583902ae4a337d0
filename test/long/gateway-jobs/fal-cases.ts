import { createHash, createPublicKey, verify } from 'node:crypto';
import { createFalClient, type FalClient } from '@fal-ai/client';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { parsePublicId, publicId } from '../../../src/shared/ids.js';
import { addPerson, json } from '../../support/api.js';
import { eventually } from '../../support/eventually.js';
import { openGateway } from '../../support/gateway-world.js';
import { JOB_MODELS, type JobWorld, UPLOAD_MAX_BYTES } from '../../support/job-world.js';
import { noisePicture } from '../../support/pictures.js';

/** The unmodified client of fal against the whole product, with one line changed: where it sends to. */

let world: JobWorld;
let key: string;
/** Of the same person: the sandbox stands in, which is faster than a vendor. */
let testKey: string;

interface Options {
  readonly credentials?: string;
  readonly useCase?: string;
  readonly projectId?: string;
  readonly sent?: string[];
}

/** Counts what the client really sends. */
const counting =
  (sent: string[] = []): typeof fetch =>
  (url, init) => {
    sent.push(url instanceof Request ? url.url : url.toString());
    return world.fetch(url, init);
  };

/** By its proxy protocol. */
const proxied = ({ credentials = key, useCase, projectId, sent }: Options = {}): FalClient =>
  createFalClient({
    credentials,
    proxyUrl: { url: `${world.root('fal', useCase, projectId)}/proxy`, when: 'always' },
    fetch: counting(sent),
  });

const FOLDERS: readonly (readonly [string, string])[] = [
  ['https://queue.fal.run/', '/queue/'],
  ['https://fal.run/', '/run/'],
  ['https://rest.fal.ai/', '/rest/'],
];
/** By its middleware, which every 1.x has. */
const rewritten = ({ credentials = key, useCase, projectId, sent }: Options = {}): FalClient =>
  createFalClient({
    credentials,
    fetch: counting(sent),
    requestMiddleware: (request) => {
      const [host = '', folder = ''] = FOLDERS.find(([origin]) => request.url.startsWith(origin)) ?? [];
      const url = world.root('fal', useCase, projectId) + folder + request.url.slice(host.length);
      return Promise.resolve({ ...request, url });
    },
  });

interface Pictures {
  images: { url: string; content_type: string; width: number; height: number; file_size: number }[];
  prompt: string;
  seed?: number;
}
/** The client knows the results of some models by type; of all others it says `any`. */
const answered = (asked: Promise<{ data: unknown; requestId: string }>) => asked;

interface Refusal {
  status: number;
  message: string;
  requestId: string;
  body: {
    detail: unknown;
    message: string;
    error_type: string;
    colophon: { code: string; findings?: unknown[] };
  };
}

let serial = 0;
const prompt = (): string => `a bottle of bitter orange, number ${++serial}`;
const charges = (): number => world.fal.ledger().length;

async function refusalOf(asked: Promise<unknown>): Promise<Refusal> {
  return asked.then(
    () => Promise.reject(new Error('it was not refused')),
    (error: unknown) => error as Refusal,
  );
}

async function isInTheLog(bytes: Uint8Array): Promise<boolean> {
  const form = new FormData();
  form.set('file', new Blob([new Uint8Array(bytes)]), 'a.png');
  const verified = await world.app.request('/v1/verify', { method: 'POST', body: form, key: null });
  return JSON.stringify(await verified.json()).includes('"status":"in_log"');
}

/** @param started the product, once it runs */
export function falCases(started: () => JobWorld): void {
  beforeAll(async () => {
    world = started();
    ({ key } = await addPerson(world.app, ['creator']));
    ({ key: testKey } = await addPerson(world.app, ['creator'], { mode: 'test' }));
  });

  it('the example of the README gives signed pictures of the vendor', async () => {
    const states: string[] = [];
    const result = await proxied().subscribe(JOB_MODELS.fal, {
      input: { prompt: prompt(), image_size: { width: 64, height: 48 }, seed: 6252023, num_images: 1 },
      logs: true,
      pollInterval: 50,
      onQueueUpdate: (update) => states.push(update.status),
    });
    const { images, seed } = result.data as Pictures;
    expect(images).toMatchObject([{ content_type: 'image/png', width: 64, height: 48 }]);
    expect(seed).toBe(6252023);
    expect(result.requestId).toMatch(/^[0-9a-f-]{36}$/);
    expect(states.at(-1)).toBe('COMPLETED');
    const file = await world.fetch(images[0]?.url ?? '');
    expect(await isInTheLog(new Uint8Array(await file.arrayBuffer()))).toBe(true);
    expect(world.fal.attempts().at(-1)?.input).toMatchObject({
      image_size: { width: 64, height: 48 },
      seed: 6252023,
    });
  });

  describe.each([
    ['the proxy protocol', proxied],
    ['a rewritten base', rewritten],
  ])('by %s', (_, client) => {
    it('run waits and gives the same shape', async () => {
      const words = prompt();
      const { data, requestId } = await answered(
        client({ credentials: testKey }).run(JOB_MODELS.fal, { input: { prompt: words } }),
      );
      expect(data).toMatchObject({ prompt: words, images: [{ url: expect.stringContaining('https://') }] });
      const again = await client({ credentials: testKey }).queue.result(JOB_MODELS.fal, { requestId });
      expect(again).toMatchObject({ requestId });
    });

    it('subscribe follows a stream of states', async () => {
      const states: string[] = [];
      await client({ credentials: testKey }).subscribe(JOB_MODELS.fal, {
        input: { prompt: prompt() },
        mode: 'streaming',
        onQueueUpdate: (update) => states.push(update.status),
      });
      expect(states.at(-1)).toBe('COMPLETED');
    });

    it('a file is uploaded first, received under the declared rights, and is the parent of the edit', async () => {
      const fal = client({ credentials: testKey });
      const picture = new Blob([new Uint8Array(await noisePicture())], { type: 'image/png' });
      const url = await fal.storage.upload(picture);
      expect(await isInTheLog(new Uint8Array(await (await world.fetch(url)).arrayBuffer()))).toBe(true);
      const asked = { prompt: prompt(), image_url: url };
      const { data } = await answered(fal.subscribe(JOB_MODELS.fal, { input: asked, pollInterval: 50 }));
      const made = (data as Pictures).images[0]?.url ?? '';
      const [, assetId = ''] = /(ast_[0-9a-f]+)\.png$/.exec(made) ?? [];
      const lineage = await world.app.request(`/v1/assets/${assetId}/lineage`);
      const { items } = (await lineage.json()) as { items: { origin: string }[] };
      expect(items.map(({ origin }) => origin).sort()).toEqual(['step', 'upload']);
      expect(JSON.stringify(items)).toContain('parentOf');
    });
  });

  it('files go to the vendor as its model takes them, and what was made here keeps its history', async () => {
    const made = await proxied().run(JOB_MODELS.fal, { input: { prompt: prompt() } });
    const mine = (made.data as Pictures).images[0]?.url ?? '';
    const picture = new Blob([new Uint8Array(await noisePicture())], { type: 'image/png' });
    const asked = { prompt: prompt(), image_urls: [mine, picture] };
    const { data } = await answered(proxied().run(JOB_MODELS.fal, { input: asked }));
    expect(world.fal.attempts().at(-1)?.input).toMatchObject({
      image_urls: [expect.any(String), expect.any(String)],
    });
    const [, assetId = ''] = /(ast_[0-9a-f]+)\.png$/.exec((data as Pictures).images[0]?.url ?? '') ?? [];
    const lineage = await (await world.app.request(`/v1/assets/${assetId}/lineage`)).text();
    expect(lineage).toContain('"relationship":"parentOf"');
    expect((JSON.parse(lineage) as { items: unknown[] }).items).toHaveLength(3);
  });

  describe('the queue', () => {
    it('gives ids and addresses of its own, and states with the statuses of fal', async () => {
      world.fal.plan({ pendingPolls: 1000 });
      const submitted = await rewritten().queue.submit(JOB_MODELS.fal, { input: { prompt: prompt() } });
      const root = world.root('fal').replace(world.app.url, 'https://gateway.example');
      const address = `${root}/queue/brand/look/requests/${submitted.request_id}`;
      expect(submitted).toMatchObject({
        status: 'IN_QUEUE',
        response_url: address,
        status_url: `${address}/status`,
        cancel_url: `${address}/cancel`,
      });
      const ask = (path: string, init: RequestInit = {}) =>
        world.fetch(address + path, { ...init, headers: { authorization: `Key ${key}` } });
      const running = await eventually('it is with fal', async () => {
        const answer = await ask('/status?logs=1');
        const body = (await answer.json()) as { status: string };
        return body.status === 'IN_PROGRESS' ? { answer, body } : undefined;
      });
      expect([running.answer.status, running.body]).toMatchObject([202, { logs: [] }]);
      expect(running.answer.headers.get('x-fal-request-id')).toBe(submitted.request_id);
      const early = await refusalOf(
        rewritten().queue.result(JOB_MODELS.fal, { requestId: submitted.request_id }),
      );
      expect(early).toMatchObject({ status: 422, message: expect.stringContaining('still in progress') });
      const runs = await world.inspector.query('SELECT 1 FROM run');
      await ask('/status');
      expect(await world.inspector.query('SELECT 1 FROM run')).toHaveLength(runs.length);
      await rewritten().queue.cancel(JOB_MODELS.fal, { requestId: submitted.request_id });
    });

    it('cancels what has not been sent, and says so of what is over', async () => {
      const client = proxied({ credentials: testKey });
      const { request_id: requestId } = await client.queue.submit(JOB_MODELS.fal, {
        input: { prompt: prompt() },
      });
      await eventually('it is over', async () => {
        const { status } = await client.queue.status(JOB_MODELS.fal, { requestId });
        return status === 'COMPLETED' || undefined;
      });
      const late = await refusalOf(client.queue.cancel(JOB_MODELS.fal, { requestId }));
      expect(late).toMatchObject({ status: 400, body: { status: 'ALREADY_COMPLETED' } });
    });

    it('says in the form of fal why a job failed', async () => {
      world.fal.plan({ result: 'model-error' });
      const sent: string[] = [];
      const failed = await refusalOf(
        proxied({ sent }).subscribe(JOB_MODELS.fal, { input: { prompt: prompt() }, pollInterval: 50 }),
      );
      expect(failed).toMatchObject({
        name: 'ValidationError',
        status: 422,
        body: {
          detail: [{ loc: ['body'], type: 'generation_failed', msg: expect.any(String) }],
          error_type: 'generation_failed',
        },
      });
      expect(failed.requestId).toMatch(/^[0-9a-f-]{36}$/);
    });

    it('refuses content in the words of the model, at the input that it names', async () => {
      world.fal.plan({ result: 'content-refused' });
      const refused = await refusalOf(proxied().run(JOB_MODELS.fal, { input: { prompt: prompt() } }));
      expect(refused).toMatchObject({
        name: 'ValidationError',
        status: 422,
        body: {
          detail: [{ loc: ['body', 'prompt'], type: 'content_policy_violation' }],
          error_type: 'content_policy_violation',
          colophon: { code: 'generation_failed' },
        },
      });
    });

    it.each(['sandbox:outcome-unknown', 'sandbox:timeout'])(
      'ends with a test key as lost for %s: nothing of the sandbox turns up again',
      async (word) => {
        const input = { prompt: `${prompt()} ${word}` };
        const lost = await refusalOf(
          proxied({ credentials: testKey }).subscribe('colophon/sandbox-generator', { input }),
        );
        expect(lost).toMatchObject({ status: 422, body: { error_type: 'outcome_unknown' } });
      },
    );

    it('makes several pictures of one decision', async () => {
      const before = charges();
      const { data } = await answered(
        proxied().run(JOB_MODELS.fal, {
          input: { prompt: prompt(), num_images: 2, seed: 7 },
        }),
      );
      expect((data as Pictures).images).toHaveLength(2);
      expect(charges() - before).toBe(2);
      const seeds = world.fal
        .attempts()
        .slice(-2)
        .map(({ input }) => (input as { seed: number }).seed);
      expect(seeds.sort()).toEqual([7, 8]);
    });

    it('plays with a test key, in the wanted size, and spends nothing', async () => {
      const before = charges();
      const input = { prompt: prompt(), image_size: 'landscape_16_9' };
      const model = 'colophon/sandbox-generator';
      const { data } = await answered(rewritten({ credentials: testKey }).run(model, { input }));
      expect((data as Pictures).images).toMatchObject([{ width: 1024, height: 576 }]);
      expect(charges()).toBe(before);
    });
  });

  describe('a webhook', () => {
    const verified = async (webhook: {
      headers: Record<string, unknown>;
      body: string;
    }): Promise<boolean> => {
      const { organizationId } = world.app.instance;
      const answer = await fetch(`${world.app.url}/gateway/fal/webhooks/${organizationId}/test/jwks.json`);
      const { keys } = (await answer.json()) as { keys: Record<string, unknown>[] };
      const of = (name: string) => String(webhook.headers[`x-fal-webhook-${name}`]);
      const hash = createHash('sha256').update(webhook.body).digest('hex');
      const message = Buffer.from([of('request-id'), of('user-id'), of('timestamp'), hash].join('\n'));
      const jwk = keys[0] as never;
      return verify(
        null,
        message,
        createPublicKey({ key: jwk, format: 'jwk' }),
        Buffer.from(of('signature'), 'hex'),
      );
    };

    it('comes at the end, signed as fal signs, and again after a failure', async () => {
      world.receiver.plan(500);
      const { request_id: id } = await proxied({ credentials: testKey }).queue.submit(JOB_MODELS.fal, {
        input: { prompt: prompt() },
        webhookUrl: world.receiver.url('/end?token=SECRET'),
      });
      const path = '/end?token=SECRET';
      const { organizationId } = world.app.instance;
      await eventually('it was told once, in vain', async () => {
        const rows = await world.inspector.query(
          'SELECT 1 FROM gateway_delivery WHERE run_id = $1 AND last_status = 500',
          [id],
        );
        return rows.length > 0 || undefined;
      });
      // As its wake-up will in five seconds.
      const [due] = await world.inspector.query<{ id: string }>(
        'SELECT id FROM gateway_delivery WHERE run_id = $1',
        [id],
      );
      const uuid = parsePublicId('organization', organizationId) ?? '';
      await world.app.services.deliverWebhook.deliver(uuid, due?.id ?? '');
      await world.app.services.deliverWebhook.deliver(uuid, due?.id ?? '');
      expect(world.receiver.at(path)).toHaveLength(2);
      const [, webhook] = world.receiver.at(path);
      if (!webhook) throw new Error('no webhook');
      expect(await verified(webhook)).toBe(true);
      expect(await verified({ ...webhook, body: `${webhook.body} ` })).toBe(false);
      const told = JSON.parse(webhook.body) as { payload: Pictures };
      expect(told).toMatchObject({ request_id: id, gateway_request_id: id, status: 'OK' });
      expect((await world.fetch(told.payload.images[0]?.url ?? '')).status).toBe(200);
      const runId = `run_${id.replaceAll('-', '')}`;
      const shown = await eventually('it is recorded', async () => {
        const body = (await (await world.app.request(`/v1/runs/${runId}/webhooks`)).json()) as {
          items: { state: string }[];
        };
        return body.items[0]?.state === 'delivered' ? body : undefined;
      });
      expect(shown.items).toMatchObject([{ event: 'completed', attempts: 2, lastStatus: 200 }]);
      expect(JSON.stringify(shown)).not.toContain('SECRET');
      const [row] = await world.inspector.query<{ sealed_call: string }>(
        'SELECT sealed_call FROM gateway_job WHERE run_id = $1',
        [id],
      );
      expect(row?.sealed_call).not.toContain('SECRET');
    });

    it('tells of a failure, too', async () => {
      world.fal.plan({ result: 'model-error' });
      await proxied().queue.submit(JOB_MODELS.fal, {
        input: { prompt: prompt() },
        webhookUrl: world.receiver.url('/failed'),
      });
      const webhook = await eventually('it was told', () => world.receiver.at('/failed')[0]);
      expect(JSON.parse(webhook.body)).toMatchObject({
        status: 'ERROR',
        error: expect.any(String),
        payload: { detail: [{ type: 'generation_failed' }] },
      });
    });

    it.each([
      'http://169.254.169.254/latest',
      'https://127.0.0.1/hook',
      'https://localhost/hook',
      'https://[::1]/hook',
      'http://example.com/hook',
      'https://user:password@example.com/hook',
    ])('to %s is refused before anything is spent', async (webhookUrl) => {
      const before = charges();
      const refusal = await refusalOf(
        proxied().queue.submit(JOB_MODELS.fal, { input: { prompt: prompt() }, webhookUrl }),
      );
      expect(refusal).toMatchObject({ status: 422, body: { error_type: 'url_blocked' } });
      expect(charges()).toBe(before);
    });

    it('is not sent to the hosts that the operator opened for models', async () => {
      const refusal = await refusalOf(
        proxied().queue.submit(JOB_MODELS.fal, {
          input: { prompt: prompt() },
          webhookUrl: `${world.fal.origin}/queue/x/y`,
        }),
      );
      expect(refusal).toMatchObject({ status: 422, body: { error_type: 'url_blocked' } });
    });
  });

  describe('refusals', () => {
    it('by the licenses name the findings, and the client does not repeat them', async () => {
      const sent: string[] = [];
      const before = charges();
      const refusal = await refusalOf(
        proxied({ sent }).subscribe(JOB_MODELS.falForbidden, { input: { prompt: prompt() } }),
      );
      expect(refusal).toMatchObject({ status: 403, body: { error_type: 'clearance_denied' } });
      expect(refusal.message).toBe(refusal.body.message);
      expect(refusal.body.colophon.findings?.length).toBeGreaterThan(0);
      expect([sent.length, charges()]).toEqual([1, before]);
    });

    it.each([
      ['a model that is not known', 'fal-ai/unknown', {}, 422, 'unknown_model'],
      ['a workflow', 'workflows/owner/name', {}, 422, 'gateway_unsupported'],
      ['files inside of the answer', JOB_MODELS.fal, { sync_mode: true }, 422, 'gateway_unsupported'],
      ['weights that were not cleared', JOB_MODELS.fal, { loras: [{ path: 'x' }] }, 422, 'invalid_request'],
      ['a LoRA by its name', JOB_MODELS.fal, { lora_name: 'x' }, 422, 'invalid_request'],
      [
        'a file that lies elsewhere',
        JOB_MODELS.fal,
        { image_url: 'https://10.0.0.1/a.png' },
        422,
        'url_blocked',
      ],
      [
        'a file of a forged address',
        JOB_MODELS.fal,
        { image_url: `https://gateway.example/gateway/files/${'A'.repeat(90)}/a.png` },
        422,
        'gateway_unsupported',
      ],
      ['another scheme', JOB_MODELS.fal, { mask: 's3://bucket/a.png' }, 422, 'gateway_unsupported'],
      [
        'a data URI that is no picture',
        JOB_MODELS.fal,
        { image_url: 'data:image/png;base64,AAAA' },
        415,
        'unsupported_media',
      ],
      ['more than ten', JOB_MODELS.fal, { num_images: 11 }, 422, 'invalid_request'],
    ])('of %s come before anything is spent', async (_, model, input, status, code) => {
      const sent: string[] = [];
      const before = charges();
      const refusal = await refusalOf(
        rewritten({ sent }).queue.submit(model, { input: { prompt: prompt(), ...input } as never }),
      );
      expect({ status: refusal.status, code: refusal.body.error_type }).toEqual({ status, code });
      expect([sent.length, charges()]).toEqual([1, before]);
    });

    it('of what would go round the record give the reason', async () => {
      const stream = await refusalOf(
        proxied()
          .stream(JOB_MODELS.fal, { input: { prompt: 'x' } })
          .then((s) => s.done()),
      );
      expect(stream.message).toContain('piece by piece');
      const ask = (path: string, init: RequestInit = {}, target?: string) =>
        fetch(`${world.root('fal')}/${path}`, {
          ...init,
          headers: {
            authorization: `Key ${key}`,
            'content-type': 'application/json',
            ...(target === undefined ? {} : { 'x-fal-target-url': target }),
          },
        });
      const post = { method: 'POST', body: '{}' };
      for (const [path, init, target, status] of [
        ['rest/tokens/', post, undefined, 422],
        ['rest/storage/auth/token', post, undefined, 422],
        [`run/${JOB_MODELS.fal}?prompt=x`, {}, undefined, 422],
        [`run/${JOB_MODELS.fal}/realtime`, post, undefined, 422],
        ['other/x', post, undefined, 404],
        ['queue/brand/look/requests/x/status', {}, undefined, 422],
        ['queue/brand%2f..%2f..%2fx', post, undefined, 404],
        ['proxy', post, undefined, 422],
        ['proxy', post, 'http://fal.run/brand/look', 422],
        ['proxy', post, 'https://evil.example/brand/look', 422],
        ['proxy', post, 'https://fal.run.evil.example/brand/look', 422],
        ['proxy', post, 'https://user@fal.run/brand/look', 422],
        ['proxy', post, 'https://fal.run:444/brand/look', 422],
        ['proxy', post, 'https://169.254.169.254/', 422],
        ['proxy', post, 'https://api.fal.ai/v1/models', 422],
        ['anything', post, undefined, 404],
      ] as const) {
        const answer = await ask(path, init, target);
        const body = (await answer.json()) as { detail: unknown; message: string };
        expect([path, target, answer.status]).toEqual([path, target, status]);
        expect(body.message.length).toBeGreaterThan(20);
      }
    });
  });

  describe("somebody else's", () => {
    it('jobs and files do not exist: other organizations, projects, use cases and keys', async () => {
      const { request_id: requestId } = await proxied().queue.submit(JOB_MODELS.fal, {
        input: { prompt: prompt() },
      });
      const url = await proxied().storage.upload(
        new Blob([new Uint8Array(await noisePicture())], { type: 'image/png' }),
      );
      await world.newUseCase('other');
      await openGateway(world.app, {}, 'other');
      const colleague = await addPerson(world.app, ['creator']);
      const project = (await (await world.app.request('/v1/projects', json({ name: 'another' }))).json()) as {
        id: string;
      };
      const clients = [
        proxied({ credentials: colleague.key }),
        proxied({ useCase: 'other' }),
        proxied({ projectId: project.id }),
      ];
      for (const client of clients) {
        for (const asked of [
          client.queue.status(JOB_MODELS.fal, { requestId }),
          client.queue.result(JOB_MODELS.fal, { requestId }),
          client.queue.cancel(JOB_MODELS.fal, { requestId }),
        ])
          expect(await refusalOf(asked)).toMatchObject({ status: 404 });
      }
      const foreign = await refusalOf(
        proxied({ credentials: colleague.key }).queue.submit(JOB_MODELS.fal, {
          input: { prompt: prompt(), image_url: url },
        }),
      );
      expect(foreign).toMatchObject({ status: 404 });
      const otherApp = await refusalOf(proxied().queue.status('brand/another', { requestId }));
      expect(otherApp).toMatchObject({ status: 404 });
    });
  });

  describe('an upload', () => {
    it('takes one file, of whoever holds its address, and nothing else', async () => {
      const initiate = await fetch(
        `${world.root('fal')}/rest/storage/upload/initiate?storage_type=fal-cdn-v3`,
        {
          ...json({ content_type: 'image/png', file_name: 'a.png' }),
          headers: { authorization: `Key ${key}`, 'content-type': 'application/json' },
        },
      );
      const { upload_url: to, file_url: from } = (await initiate.json()) as {
        upload_url: string;
        file_url: string;
      };
      const put = (url: string, body: Uint8Array, type = 'image/png') =>
        world.fetch(url, { method: 'PUT', body: new Uint8Array(body), headers: { 'content-type': type } });
      expect((await world.fetch(from)).status).toBe(404);
      expect((await put(from, await noisePicture())).status).toBe(404);
      expect((await put(to.replace(/.{5}\/file$/, 'AAAAA/file'), await noisePicture())).status).toBe(404);
      expect((await put(to, Buffer.from('<html>'), 'image/png')).status).toBe(415);
      expect((await put(to, Buffer.alloc(UPLOAD_MAX_BYTES + 1))).status).toBe(413);
      const picture = await noisePicture();
      expect((await put(to, picture)).status).toBe(200);
      expect((await put(to, picture, 'application/octet-stream')).status).toBe(200);
      expect((await put(to, await noisePicture())).status).toBe(409);
      expect((await world.fetch(to)).status).toBe(404);
      expect((await world.fetch(from)).status).toBe(200);
    });

    it('is refused where no rights are declared', async () => {
      await world.newUseCase('no-rights');
      await openGateway(world.app, { inputRights: null }, 'no-rights');
      const picture = new Blob([new Uint8Array(await noisePicture())], { type: 'image/png' });
      expect(await refusalOf(proxied({ useCase: 'no-rights' }).storage.upload(picture))).toMatchObject({
        status: 403,
      });
    });
  });

  it('a picture whose own manifest cannot be read is signed without it, and says so', async () => {
    world.fal.plan({ result: 'broken-manifest' });
    const { data } = await answered(proxied().run(JOB_MODELS.fal, { input: { prompt: prompt() } }));
    const file = await world.fetch((data as Pictures).images[0]?.url ?? '');
    const bytes = new Uint8Array(await file.arrayBuffer());
    expect(await isInTheLog(bytes)).toBe(true);
    expect(Buffer.from(bytes).includes('manifest-removed')).toBe(true);
  });

  it('more files than were ordered are told in the manifest, and one is given', async () => {
    world.fal.plan({ result: 'two-files' });
    const { data } = await answered(proxied().run(JOB_MODELS.fal, { input: { prompt: prompt() } }));
    const { images } = data as Pictures;
    expect(images).toHaveLength(1);
    const [, assetId = ''] = /(ast_[0-9a-f]+)\.png$/.exec(images[0]?.url ?? '') ?? [];
    const manifest = await (await world.app.request(`/v1/assets/${assetId}/manifest`)).text();
    expect(manifest).toMatch(/"filesInAnswer":\s*2/);
  });

  describe('whose answer was lost', () => {
    it('is in progress while it may be found, and the same call finds it', async () => {
      await proxied().run(JOB_MODELS.fal, { input: { prompt: prompt() } });
      world.fal.plan({ submit: 'reset-after-accept', webhook: 'none' });
      const before = charges();
      const asked = { input: { prompt: prompt() } };
      const submit = async () => (await proxied().queue.submit(JOB_MODELS.fal, asked)).request_id;
      const requestId = await submit();
      const run = `/v1/runs/${publicId('run', requestId)}`;
      await eventually('the answer is lost', async () => {
        const { state } = (await (await world.app.request(run)).json()) as { state: string };
        return state === 'NEEDS_RECONCILIATION' ? true : undefined;
      });
      const job = { requestId };
      expect(await proxied().queue.status(JOB_MODELS.fal, job)).toMatchObject({ status: 'IN_PROGRESS' });
      expect(await submit()).toBe(requestId);
      const tell = (upstreamId: string | undefined) => {
        const found = { outcome: 'accepted', upstreamId, reason: 'it is on the dashboard' };
        return world.app.request(`${run}/steps/generate/reconcile`, json(found));
      };
      const charged = world.fal.ledger().map((charge) => charge.requestId);
      expect((await tell(charged.at(-2))).status).toBe(409);
      expect((await tell(charged.at(-1))).status).toBe(200);
      await proxied().queue.subscribeToStatus(JOB_MODELS.fal, { requestId, pollInterval: 50 });
      const { data } = await answered(proxied().queue.result(JOB_MODELS.fal, job));
      expect((data as Pictures).images).toHaveLength(1);
      expect(charges() - before).toBe(1);
      expect(await submit()).not.toBe(requestId);
    });
  });

  describe('sent twice', () => {
    it('a submit whose answer was lost finds the same job; after a delivered answer it is a new wish', async () => {
      const body = JSON.stringify({ prompt: prompt() });
      const submit = async () => {
        const answer = await fetch(`${world.root('fal')}/run/${JOB_MODELS.fal}`, {
          method: 'POST',
          body,
          headers: { authorization: `Key ${testKey}`, 'content-type': 'application/json' },
        });
        await answer.arrayBuffer();
        return answer.headers.get('x-fal-request-id');
      };
      const [one, two] = await Promise.all([submit(), submit()]);
      expect(one).toBe(two);
      expect(await submit()).not.toBe(one);
    });
  });
}
