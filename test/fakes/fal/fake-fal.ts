import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import { z } from 'zod';
import { type LedgerEntry, type SubmitAttempt } from './billing-ledger.js';
import { appOf } from './fal-job.js';
import { FalQueue } from './fal-queue.js';
import { FaultPlan, type FaultPlanInput } from './fault-plan.js';
import { FileServer } from './file-server.js';
import { readRequestBody, sendJson } from './http-messages.js';
import { type WebhookDelivery, WebhookSender } from './webhook-sender.js';

export interface FakeFalOptions {
  /** 0 picks a free port. */
  readonly port?: number;
  /** The key that clients must send as `Authorization: Key <credentials>`. */
  readonly credentials?: string;
}

export const FAKE_FAL_CREDENTIALS = 'fake-fal-key';

/**
 * A fal that works: queue, storage, file server and signed webhooks on one origin, with a ledger of what it would
 * have charged. Paths: `/queue/...` for queue.fal.run, `/rest/...` for rest.fal.ai, `/upload/...` and `/files/...`
 * for storage. Other processes use `GET /__ledger`, `GET /__attempts`, `GET /__webhooks` and `POST /__plans`.
 */
export class FakeFal {
  readonly #server: Server;
  readonly #credentials: string;
  readonly #queue: FalQueue;
  readonly #files: FileServer;
  readonly webhooks = new WebhookSender();
  #origin = '';

  private constructor(options: FakeFalOptions) {
    this.#credentials = options.credentials ?? FAKE_FAL_CREDENTIALS;
    const origin = (): string => this.#origin;
    this.#files = new FileServer(origin, (requestId) => this.#queue.find(requestId));
    this.#queue = new FalQueue(origin, (url) => this.#files.isUploaded(url), this.webhooks);
    this.#server = createServer((request, response) => {
      this.#route(request, response).catch((error: unknown) => {
        if (response.headersSent) response.destroy();
        else sendJson(response, 400, { detail: String(error) });
      });
    });
  }

  static async start(options: FakeFalOptions = {}): Promise<FakeFal> {
    const fake = new FakeFal(options);
    await new Promise<void>((resolve, reject) => {
      fake.#server.once('error', reject);
      fake.#server.listen(options.port ?? 0, '127.0.0.1', resolve);
    });
    fake.#origin = `http://127.0.0.1:${(fake.#server.address() as AddressInfo).port}`;
    return fake;
  }

  async stop(): Promise<void> {
    this.webhooks.stop();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** What `FAL_BASE_URL` is set to. */
  get origin(): string {
    return this.#origin;
  }

  /** What `COLOPHON_OUTBOUND_ALLOWED_HOSTS` must hold. */
  get hostPort(): string {
    return new URL(this.#origin).host;
  }

  /** Queues plans for the next submits, one each. */
  plan(...plans: FaultPlanInput[]): void {
    this.#queue.plan(...plans);
  }

  /** What was accepted and charged, in order. */
  ledger(): readonly LedgerEntry[] {
    return this.#queue.ledger.entries();
  }

  /** Every POST to the queue, accepted or not, in order. */
  attempts(): readonly SubmitAttempt[] {
    return this.#queue.ledger.attempts();
  }

  webhookDeliveries(): readonly WebhookDelivery[] {
    return this.webhooks.deliveries();
  }

  uploads(): ReturnType<FileServer['uploads']> {
    return this.#files.uploads();
  }

  async #route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.#origin);
    const path = url.pathname;
    if (path.startsWith('/__')) return this.#control(request, response, path);
    if (path === '/rest/.well-known/jwks.json') return sendJson(response, 200, this.webhooks.keySet());
    if (request.method === 'GET' && path.startsWith('/files/')) return this.#files.serve(response, path);
    if (path.startsWith('/upload/') && (request.method === 'PUT' || path.endsWith('/complete'))) {
      return this.#files.receive(request, response, path.slice('/upload/'.length));
    }
    if (request.headers.authorization !== `Key ${this.#credentials}`) {
      return sendJson(response, 401, { detail: 'Invalid key credentials', message: 'Unauthorized' });
    }
    if (request.method === 'POST' && /^\/rest\/storage\/upload\/initiate(?:-multipart)?$/.test(path)) {
      return this.#files.initiate(request, response);
    }
    if (path.startsWith('/queue/')) return this.#routeQueue(request, response, path, url.searchParams);
    return sendJson(response, 404, { detail: 'Not Found' });
  }

  async #routeQueue(
    request: IncomingMessage,
    response: ServerResponse,
    path: string,
    query: URLSearchParams,
  ): Promise<void> {
    const match = /^\/queue\/(.+?)\/requests\/([^/]+)(\/status|\/cancel)?$/.exec(path);
    if (match === null) {
      const endpoint = path.slice('/queue/'.length);
      if (request.method !== 'POST') return sendJson(response, 405, { detail: 'Method Not Allowed' });
      if (endpoint.startsWith('fal-ai/unknown'))
        return sendJson(response, 404, { detail: 'Application not found' });
      return this.#queue.submit(request, response, endpoint, query);
    }
    const [, app, requestId, action] = match;
    const job = this.#queue.find(requestId ?? '');
    if (job === undefined || appOf(job.endpoint) !== app)
      return sendJson(response, 404, { status: 'NOT_FOUND' });
    if (request.method === 'PUT' && action === '/cancel') return this.#queue.cancel(response, job);
    if (request.method !== 'GET') return sendJson(response, 405, { detail: 'Method Not Allowed' });
    return action === '/status' ? this.#queue.status(response, job) : this.#queue.result(response, job);
  }

  async #control(request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
    if (path === '/__ledger') return sendJson(response, 200, this.ledger());
    if (path === '/__attempts') return sendJson(response, 200, this.attempts());
    if (path === '/__webhooks') return sendJson(response, 200, this.webhookDeliveries());
    if (path === '/__plans' && request.method === 'POST') {
      const plans = z.array(FaultPlan).parse(JSON.parse((await readRequestBody(request)).toString()));
      this.plan(...plans);
      return sendJson(response, 200, { queued: plans.length });
    }
    return sendJson(response, 404, { detail: 'Not Found' });
  }
}
