import { randomUUID } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { type IncomingMessage, type ServerResponse } from 'node:http';
import { BillingLedger, stepRunIdOf } from './billing-ledger.js';
import { appOf, type FalJob, fileUrl, picturesFor, unitsOf } from './fal-job.js';
import { FaultPlan, type FaultPlanInput, type ResultTrouble } from './fault-plan.js';
import { METADATA_URL } from './file-server.js';
import { readRequestBody, sendJson, sendPage } from './http-messages.js';
import { renderPicture } from './product-picture.js';
import { type WebhookSender } from './webhook-sender.js';

/** The queue of the fake: submit, status, result, cancel, and a webhook when a job completes. */
export class FalQueue {
  readonly ledger = new BillingLedger();
  readonly #plans: FaultPlan[] = [];
  readonly #jobs = new Map<string, FalJob>();

  constructor(
    private readonly origin: () => string,
    private readonly isKnownFile: (url: string) => boolean,
    private readonly webhooks: WebhookSender,
  ) {}

  plan(...plans: FaultPlanInput[]): void {
    this.#plans.push(...plans.map((plan) => FaultPlan.parse(plan)));
  }

  find(requestId: string): FalJob | undefined {
    return this.#jobs.get(requestId);
  }

  /** `POST /queue/<endpoint>?fal_webhook=<url>` */
  async submit(
    request: IncomingMessage,
    response: ServerResponse,
    endpoint: string,
    query: URLSearchParams,
  ): Promise<void> {
    const plan = this.#plans.shift() ?? FaultPlan.parse({});
    const input = JSON.parse((await readRequestBody(request)).toString()) as Record<string, unknown>;
    const headers = Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
    );
    this.ledger.attempt({ endpoint, atMs: Date.now(), headers, input });
    if (plan.submit === 'reset-before-accept') return void request.socket.resetAndDestroy();
    const refusal = refusalOf(plan, input) ?? this.#missingFile(input);
    if (refusal !== undefined) return sendJson(response, refusal.status, refusal.body);
    const job = this.#accept(endpoint, plan, input, query.get('fal_webhook') ?? undefined);
    this.#answerSubmit(request, response, job);
  }

  #accept(
    endpoint: string,
    plan: FaultPlan,
    input: Record<string, unknown>,
    webhookUrl: string | undefined,
  ): FalJob {
    const requestId = randomUUID();
    const pictures = picturesFor(input);
    const job = {
      requestId,
      endpoint,
      plan,
      pictures,
      webhookUrl,
      pollsLeft: plan.pendingPolls,
      troubles: [...plan.beforeResult],
      canceled: false,
    };
    this.#jobs.set(requestId, job);
    const stepRunId = stepRunIdOf(webhookUrl);
    this.ledger.charge({ endpoint, requestId, atMs: Date.now(), units: unitsOf(job), stepRunId, webhookUrl });
    this.#scheduleWebhook(job);
    return job;
  }

  #answerSubmit(request: IncomingMessage, response: ServerResponse, job: FalJob): void {
    switch (job.plan.submit) {
      case 'hang-after-accept':
        return;
      case 'reset-after-accept':
        return void request.socket.resetAndDestroy();
      case 'garbage-after-accept':
        return sendPage(response, 200);
      case '502':
        return sendPage(response, 502);
      case 'ok':
      case '500':
      case '429':
      case '422':
      case 'reset-before-accept': {
        // The refusals were answered before the job was accepted.
        const urls = this.#urls(job);
        const ids = { request_id: job.requestId, gateway_request_id: job.requestId };
        return sendJson(response, 200, { ...ids, status: 'IN_QUEUE', queue_position: 0, ...urls });
      }
    }
  }

  #missingFile(input: Record<string, unknown>): { status: number; body: unknown } | undefined {
    const urls = Object.entries(input)
      .filter(([name]) => /_urls?$/.test(name))
      .flatMap(([, value]) => (Array.isArray(value) ? (value as unknown[]) : [value]));
    const missing = urls.some(
      (url) => typeof url !== 'string' || !(url.startsWith('data:') || this.isKnownFile(url)),
    );
    return missing ? { status: 422, body: detail('file_download_error', ['body', 'image_url']) } : undefined;
  }

  #urls(job: FalJob): { response_url: string; status_url: string; cancel_url: string } {
    const app = job.plan.result === 'model-mismatch' ? 'fal-ai/another-model' : appOf(job.endpoint);
    const base = `${this.origin()}/queue/${app}/requests/${job.requestId}`;
    return { response_url: base, status_url: `${base}/status`, cancel_url: `${base}/cancel` };
  }

  /** `GET /queue/<app>/requests/<id>/status` */
  status(response: ServerResponse, job: FalJob): void {
    const base = { request_id: job.requestId, ...this.#urls(job) };
    if (job.pollsLeft > 0) {
      const waiting = job.pollsLeft === job.plan.pendingPolls;
      job.pollsLeft -= 1;
      const state = waiting ? { status: 'IN_QUEUE', queue_position: 0 } : { status: 'IN_PROGRESS', logs: [] };
      return sendJson(response, 202, { ...base, ...state });
    }
    const failure = job.canceled ? { error: 'Request was canceled', error_type: 'client_cancelled' } : {};
    sendJson(response, 200, {
      ...base,
      status: 'COMPLETED',
      logs: [],
      metrics: { inference_time: 0.25 },
      ...failure,
    });
  }

  /** `GET /queue/<app>/requests/<id>` */
  async result(response: ServerResponse, job: FalJob): Promise<void> {
    const headers = {
      'x-fal-request-id': job.requestId,
      'x-fal-served-from': 'fake-runner-1',
      'x-fal-billable-units': String(job.plan.billableUnits ?? job.pictures.length),
    };
    if (job.pollsLeft > 0) return sendJson(response, 400, { detail: 'Request is still in progress' });
    const trouble = job.troubles.shift();
    if (trouble !== undefined) return sendTrouble(response, trouble);
    const { status, body } = await this.#resultBody(job);
    sendJson(response, status, body, status === 200 ? headers : { 'x-fal-request-id': job.requestId });
  }

  /** `PUT /queue/<app>/requests/<id>/cancel` */
  cancel(response: ServerResponse, job: FalJob): void {
    if (job.pollsLeft === 0) return sendJson(response, 400, { status: 'ALREADY_COMPLETED' });
    job.canceled = true;
    job.pollsLeft = 0;
    sendJson(response, 202, { status: 'CANCELLATION_REQUESTED' });
  }

  async #resultBody(job: FalJob): Promise<{ status: number; body: unknown }> {
    if (job.plan.result === 'empty') return { status: 200, body: {} };
    if (job.plan.result === 'model-error')
      return { status: 500, body: detail('internal_server_error', ['body']) };
    if (job.plan.result === 'content-refused') {
      return { status: 422, body: detail('content_policy_violation', ['body', 'prompt']) };
    }
    if (job.plan.filmBytes !== undefined) {
      const url = `${this.origin()}/files/${job.requestId}/film.mp4`;
      return {
        status: 200,
        body: { video: { url, content_type: 'video/mp4' }, seed: job.pictures[0]?.seed },
      };
    }
    const images = await Promise.all(
      job.pictures.map(async (picture) => ({
        url: (await inAnswer(job, picture)) ?? this.#outputUrl(job, picture),
        width: picture.width,
        height: picture.height,
        content_type: `image/${picture.format}`,
      })),
    );
    const first = job.pictures[0];
    const body = {
      images: job.plan.result === 'two-files' ? [...images, ...images] : images,
      seed: first?.seed,
      has_nsfw_concepts: images.map(() => false),
      prompt: first?.prompt,
    };
    return { status: 200, body };
  }

  #outputUrl(job: FalJob, picture: FalJob['pictures'][number]): string {
    return job.plan.result === 'internal-url' ? METADATA_URL : fileUrl(this.origin(), job, picture);
  }

  #scheduleWebhook(job: FalJob): void {
    const { webhook, webhookDelayMs } = job.plan;
    if (job.webhookUrl === undefined || webhook === 'none') return;
    const delayMs = webhook === 'late' ? webhookDelayMs * 10 : webhookDelayMs;
    const payload = (): Buffer => {
      // A webhook is sent when the job is done: whoever polls on hearing of it finds it completed.
      job.pollsLeft = 0;
      return Buffer.from(JSON.stringify(this.#webhookBody(job)));
    };
    for (let copy = 0; copy < (webhook === 'duplicate' ? 2 : 1); copy += 1) {
      this.webhooks.schedule(job.webhookUrl, job.requestId, payload, {
        delayMs,
        forged: webhook === 'forged',
      });
    }
  }

  #webhookBody(job: FalJob): unknown {
    const ids = { request_id: job.requestId, gateway_request_id: job.requestId };
    if (job.plan.result === 'model-error' || job.plan.result === 'content-refused') {
      return { ...ids, status: 'ERROR', error: 'Invalid status code: 422', payload: { detail: [] } };
    }
    const images = job.pictures.map((picture) => ({ url: this.#outputUrl(job, picture) }));
    return { ...ids, status: 'OK', payload: { images, seed: job.pictures[0]?.seed } };
  }
}

function sendTrouble(response: ServerResponse, trouble: ResultTrouble): void {
  switch (trouble) {
    case 'still-in-progress':
      return sendJson(response, 400, { detail: 'Request is still in progress' });
    case '402':
    case '404':
      return sendJson(response, Number(trouble), { detail: 'Not now' });
    case '405-page':
    case '413-page':
    case '451-page':
      return sendPage(response, Number(trouble.slice(0, 3)));
    case 'page':
      return sendPage(response, 200);
    case 'cut-off':
    case 'nothing':
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(trouble === 'nothing' ? '' : '{"images":[{"ur');
  }
}

function refusalOf(
  plan: FaultPlan,
  input: Record<string, unknown>,
): { status: number; body: unknown } | undefined {
  if (plan.submit === '500')
    return { status: 500, body: { detail: 'Internal Server Error', error_type: 'internal_error' } };
  if (plan.submit === '429') {
    return { status: 429, body: { detail: 'Too many requests', error_type: 'concurrent_requests_limit' } };
  }
  if (plan.submit === '422') return { status: 422, body: detail('value_error', ['body', 'image_size']) };
  if (
    typeof input['prompt'] !== 'string' &&
    typeof input['image_url'] !== 'string' &&
    typeof input['video_url'] !== 'string'
  ) {
    return { status: 422, body: detail('missing', ['body', 'prompt']) };
  }
  return undefined;
}

/** An error in the form of fal's models. It repeats the input, as the real one does: nobody may pass that on. */
function detail(type: string, loc: readonly string[]): unknown {
  return { detail: [{ loc, msg: 'SECRET-INPUT-ECHO was not acceptable', type, input: 'SECRET-INPUT-ECHO' }] };
}

/** The file itself, where the plan puts it into the answer. */
async function inAnswer({ plan }: FalJob, picture: FalJob['pictures'][number]): Promise<string | undefined> {
  if (plan.result !== 'data-uri' && plan.result !== 'broken-manifest') return undefined;
  const bytes = await renderPicture(picture);
  const file = plan.result === 'data-uri' ? bytes : withBrokenManifest(bytes);
  return `data:image/${picture.format};base64,${file.toString('base64')}`;
}

/** A PNG with a C2PA chunk that holds no manifest. */
function withBrokenManifest(png: Buffer): Buffer {
  const chunk = Buffer.concat([Buffer.from('caBX'), Buffer.alloc(100, 'A')]);
  const [length, checksum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(100);
  checksum.writeUInt32BE(crc32(chunk));
  const afterHeader = 33;
  return Buffer.concat([png.subarray(0, afterHeader), length, chunk, checksum, png.subarray(afterHeader)]);
}
