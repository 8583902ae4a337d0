import { randomUUID } from 'node:crypto';
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

export const FAKE_GOOGLE_KEY = 'fake-google-key';

export interface GooglePlan {
  readonly fault?: TransportFault;
  /** The answer is held back until then. */
  readonly until?: Promise<unknown>;
  readonly pendingPolls?: number;
  readonly result?:
    | 'ok'
    | 'empty'
    | 'blocked-prompt'
    | 'blocked-image'
    | 'draft-only'
    | 'slow'
    | 'failed'
    | 'filtered'
    | 'internal-url'
    | 'foreign-url';
}

interface FakeOperation {
  readonly name: string;
  readonly plan: GooglePlan;
  pollsLeft: number;
}

const SLOW_MS = 200;

/** The Gemini API: generateContent with pictures, Veo as long-running operations, files that want the key. */
export class FakeGoogle {
  readonly ledger = new SubmitLedger<GooglePlan, { path: string; body: Record<string, unknown> }, string>();
  /** Requests for files, with the key that came along. */
  readonly downloads: { path: string; key: string | undefined }[] = [];
  readonly #operations = new Map<string, FakeOperation>();
  #server: FakeServer | undefined;

  static async start(): Promise<FakeGoogle> {
    const fake = new FakeGoogle();
    fake.#server = await FakeServer.start((request, response, url) => fake.#route(request, response, url));
    return fake;
  }

  get server(): FakeServer {
    if (this.#server === undefined) throw new Error('not started');
    return this.#server;
  }

  stop(): Promise<void> {
    return this.server.stop();
  }

  async #route(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const path = url.pathname;
    const key = request.headers['x-goog-api-key']?.toString();
    const file = /^\/v1(?:beta)?\/files\/([a-z0-9]+):download$/.exec(path)?.[1];
    if (file !== undefined) this.downloads.push({ path, key });
    if (key !== FAKE_GOOGLE_KEY) return sendError(response, 401, 'UNAUTHENTICATED');
    if (file !== undefined)
      return void response.writeHead(200, { 'content-type': 'video/mp4' }).end('a video');
    const asked = /^\/v1(?:beta)?\/models\/([^/:]+):(generateContent|predictLongRunning)$/.exec(path);
    if (asked !== null && request.method === 'POST')
      return this.#submit(request, response, asked[1] ?? '', asked[2] === 'predictLongRunning');
    const name = /^\/v1(?:beta)?\/(models\/[^/]+\/operations\/[^/]+)$/.exec(path)?.[1];
    const operation = name === undefined ? undefined : this.#operations.get(name);
    if (operation === undefined) return sendError(response, 404, 'NOT_FOUND');
    return sendJson(response, 200, this.#operationState(operation));
  }

  async #submit(
    request: IncomingMessage,
    response: ServerResponse,
    model: string,
    isVideo: boolean,
  ): Promise<void> {
    const body = JSON.parse((await readRequestBody(request)).toString()) as Record<string, unknown>;
    this.ledger.attempts.push({ path: new URL(request.url ?? '', 'http://x').pathname, body });
    const plan = this.ledger.next() ?? {};
    if (plan.fault !== undefined && isBeforeAccept(plan.fault))
      return failBeforeAccept(plan.fault, request, response, errorBody(429, 'RESOURCE_EXHAUSTED'));
    if (model.includes('unknown')) return sendError(response, 404, 'NOT_FOUND');
    this.ledger.charges.push(model);
    const answer = isVideo ? this.#startVideo(model, plan) : await imageAnswer(body, plan, model);
    await plan.until;
    if (plan.fault !== undefined) return spoilAnswer(plan.fault, request, response, answer);
    if (plan.result === 'slow' && !isVideo) await new Promise((resolve) => setTimeout(resolve, SLOW_MS));
    sendJson(response, 200, answer);
  }

  #startVideo(model: string, plan: GooglePlan): unknown {
    const name = `models/${model}/operations/${randomUUID().replaceAll('-', '').slice(0, 12)}`;
    this.#operations.set(name, { name, plan, pollsLeft: plan.pendingPolls ?? 1 });
    return { name };
  }

  #operationState(operation: FakeOperation): unknown {
    const { name, plan } = operation;
    if (operation.pollsLeft > 0) {
      operation.pollsLeft -= 1;
      return { name };
    }
    const done = { name, done: true };
    if (plan.result === 'failed')
      return { ...done, error: { code: 13, message: 'SECRET prompt could not be done' } };
    const filtered = { raiMediaFilteredCount: 1, raiMediaFilteredReasons: ['SECRET'] };
    const answers: Partial<Record<string, unknown>> = { filtered, empty: { generatedSamples: [] } };
    const answer = answers[plan.result ?? ''] ?? {
      generatedSamples: [{ video: { uri: this.#uriOf(plan) } }],
    };
    return { ...done, response: { generateVideoResponse: answer } };
  }

  #uriOf({ result }: GooglePlan): string {
    if (result === 'internal-url') return METADATA_URL;
    if (result === 'foreign-url') return 'https://files.example.com/v1beta/files/abc:download?alt=media';
    return `${this.server.origin}/v1beta/files/abc123:download?alt=media`;
  }
}

async function imageAnswer(body: Record<string, unknown>, plan: GooglePlan, model: string): Promise<unknown> {
  const base = { modelVersion: model, responseId: 'resp-1' };
  const prompt = { promptTokenCount: 7, promptTokensDetails: [{ modality: 'TEXT', tokenCount: 7 }] };
  if (plan.result === 'blocked-prompt')
    return { ...base, promptFeedback: { blockReason: 'PROHIBITED_CONTENT' }, usageMetadata: prompt };
  const data = (
    await renderPicture({
      prompt: JSON.stringify(body),
      seed: 1,
      index: 0,
      width: 64,
      height: 64,
      format: 'png',
    })
  ).toString('base64');
  const draft = {
    thought: true,
    inlineData: { mimeType: 'image/png', data: Buffer.from('draft').toString('base64') },
  };
  const picture = { inlineData: { mimeType: 'image/png', data }, thoughtSignature: 'SECRET-SIGNATURE' };
  const partsOf: Partial<Record<string, unknown[]>> = {
    'blocked-image': [],
    empty: [],
    'draft-only': [draft],
  };
  const parts = partsOf[plan.result ?? ''] ?? [draft, { text: 'Here is a SECRET bottle.' }, picture];
  return {
    ...base,
    candidates: [
      {
        content: { role: 'model', parts },
        finishReason: plan.result === 'blocked-image' ? 'IMAGE_SAFETY' : 'STOP',
      },
    ],
    usageMetadata: {
      ...prompt,
      candidatesTokenCount: 1300,
      thoughtsTokenCount: 100,
      candidatesTokensDetails: [
        { modality: 'IMAGE', tokenCount: 1290 },
        { modality: 'TEXT', tokenCount: 10 },
      ],
    },
  };
}

function sendError(response: ServerResponse, status: number, word: string): void {
  sendJson(response, status, errorBody(status, word));
}

function errorBody(code: number, status: string): unknown {
  return { error: { code, status, message: 'SECRET prompt was not acceptable' } };
}
