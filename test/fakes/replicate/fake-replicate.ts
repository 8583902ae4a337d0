import { createHmac, randomUUID } from 'node:crypto';
import { type IncomingMessage, type ServerResponse } from 'node:http';
import { METADATA_URL } from '../fal/file-server.js';
import { readRequestBody, sendJson } from '../fal/http-messages.js';
import { renderPicture } from '../fal/product-picture.js';
import { FakeServer } from '../vendor/fake-server.js';
import { SubmitLedger } from '../vendor/submit-ledger.js';
import {
  failBeforeAccept,
  isBeforeAccept,
  spoilAnswer,
  type TransportFault,
} from '../vendor/transport-fault.js';

export const FAKE_DEPLOYED = { model: 'own/deployed', version: 'd3'.repeat(32) } as const;
export const FAKE_REPLICATE_TOKEN = 'r8_fake_token_of_the_account';

/** What the fake does with one submit, and with the prediction that comes of it. */
export interface ReplicatePlan {
  readonly fault?: TransportFault;
  /** Status polls that say `processing` before the end. */
  readonly pendingPolls?: number;
  readonly result?:
    | 'ok'
    | 'one'
    | 'empty'
    | 'failed'
    | 'canceled'
    | 'aborted'
    | 'internal-url'
    | 'removed'
    | 'other-model'
    | 'text';
}

interface FakePrediction {
  readonly id: string;
  readonly model: string | undefined;
  readonly version: string | undefined;
  readonly input: Readonly<Record<string, unknown>>;
  readonly webhook: string | undefined;
  readonly plan: ReplicatePlan;
  pollsLeft: number;
  canceled: boolean;
}

/** A Replicate that works: predictions, list, files, cancel, signing secret; with a ledger of what it would charge. */
export class FakeReplicate {
  readonly ledger = new SubmitLedger<
    ReplicatePlan,
    { path: string; body: Record<string, unknown> },
    string
  >();
  readonly secret = `whsec_${Buffer.from('a secret of the account').toString('base64')}`;
  readonly uploads: { id: string; bytes: Buffer }[] = [];
  secretRequests = 0;
  /** What the account has put behind the names of its deployments. */
  deployed: { model: string | undefined; version: string | undefined } = FAKE_DEPLOYED;
  /** How many predictions a page of the list holds. */
  pageSize = 100;
  readonly #predictions: FakePrediction[] = [];
  #server: FakeServer | undefined;

  static async start(): Promise<FakeReplicate> {
    const fake = new FakeReplicate();
    fake.#server = await FakeServer.start((request, response, url) => fake.#route(request, response, url));
    return fake;
  }

  get server(): FakeServer {
    if (this.#server === undefined) throw new Error('not started');
    return this.#server;
  }
  get baseUrl(): string {
    return `${this.server.origin}/v1`;
  }

  stop(): Promise<void> {
    return this.server.stop();
  }

  /** Headers of a delivery as Replicate signs it (Standard Webhooks). */
  signedHeaders(
    body: string,
    atSeconds = Math.floor(Date.now() / 1000),
    secret = this.secret,
  ): Record<string, string> {
    const id = `msg_${randomUUID()}`;
    const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
    const signature = createHmac('sha256', key).update(`${id}.${atSeconds}.${body}`).digest('base64');
    return {
      'webhook-id': id,
      'webhook-timestamp': String(atSeconds),
      'webhook-signature': `v1,${signature}`,
      'content-type': 'application/json',
    };
  }

  async #route(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const path = url.pathname;
    const file = /^\/output\/([^/]+)\.png$/.exec(path)?.[1];
    if (file !== undefined) return this.#serve(response, file);
    if (request.headers.authorization !== `Bearer ${FAKE_REPLICATE_TOKEN}`)
      return sendJson(response, 401, { title: 'Unauthenticated', detail: 'You did not pass a valid token' });
    const creates =
      /^\/v1\/(?:models\/(?<model>[^/]+\/[^/]+)|deployments\/(?<deployment>[^/]+\/[^/]+))?\/?predictions$/.exec(
        path,
      );
    if (creates !== null && request.method === 'POST')
      return this.#create(request, response, path, creates.groups ?? {});
    if (path === '/v1/predictions') return this.#list(response, url);
    const one = /^\/v1\/predictions\/([^/]+)(\/cancel)?$/.exec(path);
    if (one !== null) return this.#one(response, one[1] ?? '', one[2] !== undefined);
    if (path === '/v1/files' && request.method === 'POST') return this.#upload(request, response);
    if (path === '/v1/webhooks/default/secret') {
      this.secretRequests += 1;
      return sendJson(response, 200, { key: this.secret });
    }
    return sendJson(response, 404, { title: 'Not found', detail: 'The requested resource does not exist.' });
  }

  async #create(
    request: IncomingMessage,
    response: ServerResponse,
    path: string,
    { model, deployment }: { readonly model?: string; readonly deployment?: string },
  ): Promise<void> {
    const plan = this.ledger.next() ?? {};
    const body = JSON.parse((await readRequestBody(request)).toString()) as Record<string, unknown>;
    this.ledger.attempts.push({ path, body });
    if (plan.fault !== undefined && isBeforeAccept(plan.fault))
      return failBeforeAccept(plan.fault, request, response, { title: 'Throttled', detail: 'SECRET echo' });
    const input = body.input as Record<string, unknown> | undefined;
    if (typeof input?.prompt !== 'string' || model === 'someone/unknown')
      return sendJson(response, 422, {
        title: 'Input validation failed',
        detail: `- SECRET ${JSON.stringify(input)}`,
      });
    const version = typeof body.version === 'string' ? body.version : 'hidden';
    const ran = deployment === undefined ? { model: model ?? 'own/pinned', version } : this.deployed;
    const prediction: FakePrediction = {
      id: randomUUID().replaceAll('-', '').slice(0, 26),
      ...ran,
      ...(plan.result === 'other-model' ? { model: 'someone/else' } : {}),
      input,
      webhook: typeof body.webhook === 'string' ? body.webhook : undefined,
      plan,
      pollsLeft: plan.pendingPolls ?? 1,
      canceled: false,
    };
    this.#predictions.unshift(prediction);
    this.ledger.charges.push(prediction.id);
    const answer = this.#view(prediction, 'starting');
    if (plan.fault === undefined) sendJson(response, 201, answer);
    else spoilAnswer(plan.fault, request, response, answer);
  }

  #one(response: ServerResponse, id: string, cancel: boolean): void {
    const prediction = this.#predictions.find((known) => known.id === id);
    if (prediction === undefined)
      return sendJson(response, 404, { title: 'Not found', detail: 'no prediction' });
    if (cancel) {
      prediction.canceled = true;
      prediction.pollsLeft = 0;
    }
    if (prediction.pollsLeft > 0) {
      prediction.pollsLeft -= 1;
      return sendJson(response, 200, this.#view(prediction, 'processing'));
    }
    return sendJson(response, 200, this.#view(prediction, this.#endOf(prediction)));
  }

  #endOf({ canceled, plan }: FakePrediction): string {
    if (canceled) return 'canceled';
    const { result } = plan;
    return result === 'failed' || result === 'canceled' || result === 'aborted' ? result : 'succeeded';
  }

  /** Newest first, by pages whose `next` is an absolute address. */
  #list(response: ServerResponse, url: URL): void {
    const from = Number(url.searchParams.get('cursor') ?? 0);
    const page = this.#predictions.slice(from, from + this.pageSize);
    const more = from + this.pageSize < this.#predictions.length;
    sendJson(response, 200, {
      previous: null,
      next: more ? `https://api.replicate.com/v1/predictions?cursor=${from + this.pageSize}` : null,
      results: page.map((prediction) => this.#view(prediction, 'processing')),
    });
  }

  #view(prediction: FakePrediction, status: string): Record<string, unknown> {
    const { id, model, version, input, webhook, plan } = prediction;
    const ended = status === 'succeeded' || status === 'failed';
    return {
      id,
      model,
      version,
      status,
      input,
      source: 'api',
      logs: 'SECRET prompt in the log',
      error: status === 'failed' ? 'SECRET prompt was rejected' : null,
      data_removed: plan.result === 'removed' && status === 'succeeded',
      output: status === 'succeeded' ? this.#output(prediction) : null,
      ...(webhook === undefined ? {} : { webhook, webhook_events_filter: ['completed'] }),
      metrics: ended
        ? { predict_time: 0.75, total_time: 1.5, ...(status === 'succeeded' ? { image_count: 1 } : {}) }
        : {},
      created_at: '2026-11-22T10:00:00.000Z',
      urls: { get: `${this.baseUrl}/predictions/${id}`, cancel: `${this.baseUrl}/predictions/${id}/cancel` },
    };
  }

  #output({ id, plan }: FakePrediction): unknown {
    if (plan.result === 'empty' || plan.result === 'removed') return null;
    if (plan.result === 'internal-url') return [METADATA_URL];
    if (plan.result === 'text') return { caption: 'a bottle' };
    const file = `${this.server.origin}/output/${id}.png`;
    return plan.result === 'one' ? file : [file];
  }

  async #serve(response: ServerResponse, id: string): Promise<void> {
    const prediction = this.#predictions.find((known) => known.id === id);
    if (prediction === undefined) return sendJson(response, 404, {});
    const prompt = String(prediction.input.prompt);
    const bytes = await renderPicture({ prompt, seed: 1, index: 0, width: 64, height: 64, format: 'png' });
    response.writeHead(200, { 'content-type': 'image/png' }).end(bytes);
  }

  async #upload(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const type = request.headers['content-type'] ?? '';
    const raw = await readRequestBody(request);
    const form = await new Response(new Uint8Array(raw), { headers: { 'content-type': type } }).formData();
    const content = form.get('content');
    if (!(content instanceof File)) return sendJson(response, 400, { title: 'No content', detail: '' });
    const id = randomUUID();
    this.uploads.push({ id: content.name, bytes: Buffer.from(await content.arrayBuffer()) });
    sendJson(response, 201, { id, urls: { get: `${this.baseUrl}/files/${id}` } });
  }
}
