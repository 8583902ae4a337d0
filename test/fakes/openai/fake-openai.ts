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

export const FAKE_OPENAI_KEY = 'sk-fake-openai-key';

export interface OpenAiPlan {
  readonly fault?: TransportFault;
  /** The answer is held back until then. */
  readonly until?: Promise<unknown>;
  readonly result?: 'ok' | 'empty' | 'moderation' | 'not-base64' | 'url' | 'svg' | 'silent' | 'slow';
}

export interface ImagesAttempt {
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Fields of the JSON or of the form. */
  readonly fields: Readonly<Record<string, unknown>>;
  readonly files: readonly { field: string; name: string; type: string; bytes: Buffer }[];
}

const SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"><rect width="8" height="8"/></svg>';
const SLOW_MS = 200;

/** The Images API of OpenAI: generations and edits, base64 answers, usage, moderation; with a ledger of charges. */
export class FakeOpenAi {
  readonly ledger = new SubmitLedger<OpenAiPlan, ImagesAttempt, string>();
  #server: FakeServer | undefined;

  static async start(): Promise<FakeOpenAi> {
    const fake = new FakeOpenAi();
    fake.#server = await FakeServer.start((request, response, url) => fake.route(request, response, url));
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

  async route(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    if (request.headers.authorization !== `Bearer ${FAKE_OPENAI_KEY}`)
      return sendError(response, 401, 'invalid_api_key');
    const path = url.pathname;
    if (request.method !== 'POST' || !/^\/v1\/images\/(generations|edits)$/.test(path))
      return sendError(response, 404, 'unknown_url');
    const attempt = await readAttempt(request, path);
    this.ledger.attempts.push(attempt);
    const plan = this.ledger.next() ?? {};
    if (plan.fault !== undefined && isBeforeAccept(plan.fault))
      return failBeforeAccept(plan.fault, request, response, errorBody('rate_limit_exceeded'));
    if (plan.result === 'moderation' || attempt.fields.model === 'gpt-image-0')
      return sendError(
        response,
        400,
        plan.result === 'moderation' ? 'moderation_blocked' : 'model_not_found',
      );
    this.ledger.charges.push(path);
    const answer = await this.answer(attempt, plan);
    await plan.until;
    if (plan.fault !== undefined) return spoilAnswer(plan.fault, request, response, answer);
    if (plan.result === 'slow') await new Promise((resolve) => setTimeout(resolve, SLOW_MS));
    sendJson(response, 200, answer);
  }

  async answer({ fields, files }: ImagesAttempt, plan: OpenAiPlan): Promise<Record<string, unknown>> {
    const usage = {
      input_tokens: 12 + files.length * 300,
      input_tokens_details: { text_tokens: 12, image_tokens: files.length * 300 },
      output_tokens: 1056,
      output_tokens_details: { image_tokens: 1056, text_tokens: 0 },
      total_tokens: 1068,
    };
    return {
      created: 1_795_000_000,
      background: 'opaque',
      output_format: plan.result === 'svg' ? 'svg' : 'png',
      quality: 'medium',
      size: '1024x1024',
      data: plan.result === 'empty' ? [] : [await pictureOf(fields, plan)],
      ...(plan.result === 'silent' ? {} : { usage }),
    };
  }
}

async function pictureOf(fields: ImagesAttempt['fields'], plan: OpenAiPlan): Promise<Record<string, string>> {
  if (plan.result === 'url') return { url: METADATA_URL };
  if (plan.result === 'not-base64') return { b64_json: 'not base64!' };
  if (plan.result === 'svg') return { b64_json: Buffer.from(SVG).toString('base64') };
  const prompt = String(fields.prompt);
  const picture = await renderPicture({ prompt, seed: 1, index: 0, width: 64, height: 64, format: 'png' });
  return { b64_json: picture.toString('base64') };
}

async function readAttempt(request: IncomingMessage, path: string): Promise<ImagesAttempt> {
  const raw = await readRequestBody(request);
  const type = request.headers['content-type'] ?? '';
  const { headers } = request;
  if (type.startsWith('application/json'))
    return { path, headers, fields: JSON.parse(raw.toString()) as Record<string, unknown>, files: [] };
  const form = await new Response(new Uint8Array(raw), { headers: { 'content-type': type } }).formData();
  const fields: Record<string, unknown> = {};
  const files: { field: string; name: string; type: string; bytes: Buffer }[] = [];
  for (const [field, value] of form.entries()) {
    if (typeof value === 'string') fields[field] = value;
    else
      files.push({
        field,
        name: value.name,
        type: value.type,
        bytes: Buffer.from(await value.arrayBuffer()),
      });
  }
  return { path, headers, fields, files };
}

function sendError(response: ServerResponse, status: number, code: string): void {
  sendJson(response, status, errorBody(code));
}

/** The message repeats the prompt, as the real one may: nobody may pass that on. */
function errorBody(code: string): unknown {
  return {
    error: {
      message: 'SECRET prompt was not acceptable',
      type: 'image_generation_user_error',
      code,
      param: null,
    },
  };
}
