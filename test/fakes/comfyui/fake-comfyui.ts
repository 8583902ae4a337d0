import { randomUUID } from 'node:crypto';
import { type IncomingMessage, type ServerResponse } from 'node:http';
import { crc32 } from 'node:zlib';
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

export interface ComfyPlan {
  readonly fault?: TransportFault;
  readonly pendingPolls?: number;
  /** How many files the output node leaves. */
  readonly files?: number;
  readonly result?: 'ok' | 'error' | 'empty' | 'no-file' | 'jpeg' | 'signed';
}

interface FakePrompt {
  readonly id: string;
  readonly graph: Record<string, { class_type: string; inputs: Record<string, unknown> }>;
  readonly mark: unknown;
  readonly plan: ComfyPlan;
  pollsLeft: number;
}

/** A ComfyUI that queues graphs, keeps a history, serves files with the graph in their text chunks, and takes uploads. */
export class FakeComfyUi {
  /** A charge is an execution on the GPU. */
  readonly ledger = new SubmitLedger<ComfyPlan, Record<string, unknown>, string>();
  readonly uploads: { name: string; bytes: Buffer }[] = [];
  readonly interrupted: unknown[] = [];
  /** An older server makes an id of its own. */
  ignoresPromptId = false;
  /** A broken server answers a submit with the id of another job. */
  answersWithId: string | undefined;
  readonly #prompts = new Map<string, FakePrompt>();
  #server: FakeServer | undefined;

  static async start(): Promise<FakeComfyUi> {
    const fake = new FakeComfyUi();
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

  /** Somebody else who reaches the server queues a graph under an id of their choice. */
  queueForeign(id: string, graph: unknown, mark: unknown = id, pollsLeft = 0): void {
    this.#prompts.set(id, { id, graph: graph as FakePrompt['graph'], mark, plan: {}, pollsLeft });
  }

  /** As after a restart: the history is in memory only. */
  forget(): void {
    this.#prompts.clear();
  }

  async #route(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const path = url.pathname;
    const asked = /^\/history\/(.+)$/.exec(path)?.[1];
    if (asked !== undefined) return this.#history(response, asked);
    if (path === '/queue' && request.method === 'GET') return this.#queue(response);
    if (path === '/view') return this.#view(response, url.searchParams);
    const raw = await readRequestBody(request);
    if (path === '/upload/image') return this.#upload(request, response, raw);
    const body = JSON.parse(raw.toString()) as Record<string, unknown>;
    if (path === '/prompt') return this.#submit(request, response, body);
    if (path === '/queue') {
      for (const id of (body.delete as string[] | undefined) ?? []) this.#prompts.delete(id);
      return void response.writeHead(200).end();
    }
    if (path === '/interrupt') {
      this.interrupted.push(body.prompt_id);
      return void response.writeHead(200).end();
    }
    return sendJson(response, 404, {});
  }

  #submit(request: IncomingMessage, response: ServerResponse, body: Record<string, unknown>): void {
    this.ledger.attempts.push(body);
    const plan = this.ledger.next() ?? {};
    if (plan.fault !== undefined && isBeforeAccept(plan.fault))
      return failBeforeAccept(plan.fault, request, response, { error: 'SECRET' });
    const graph = body.prompt as FakePrompt['graph'];
    const unknown = Object.values(graph).some(({ inputs }) => inputs.ckpt_name === 'missing.safetensors');
    if (unknown)
      return sendJson(response, 400, {
        error: {
          type: 'prompt_outputs_failed_validation',
          message: 'SECRET prompt',
          details: JSON.stringify(graph),
        },
        node_errors: {},
      });
    const id = this.ignoresPromptId
      ? randomUUID()
      : typeof body.prompt_id === 'string'
        ? body.prompt_id
        : randomUUID();
    const mark = body.client_id;
    this.#prompts.set(id, { id, graph: asTaken(graph), mark, plan, pollsLeft: plan.pendingPolls ?? 1 });
    this.ledger.charges.push(id);
    const answer = { prompt_id: this.answersWithId ?? id, number: 1, node_errors: {} };
    if (plan.fault === undefined) sendJson(response, 200, answer);
    else spoilAnswer(plan.fault, request, response, answer);
  }

  /** One poll of the queue is one tick of the work. */
  #queue(response: ServerResponse): void {
    const running = [];
    for (const prompt of this.#prompts.values()) {
      if (prompt.pollsLeft <= 0) continue;
      prompt.pollsLeft -= 1;
      running.push(itemOf(prompt));
    }
    sendJson(response, 200, { queue_running: running.slice(0, 1), queue_pending: running.slice(1) });
  }

  #history(response: ServerResponse, id: string): void {
    const prompt = this.#prompts.get(id);
    if (prompt === undefined || prompt.pollsLeft > 0) return sendJson(response, 200, {});
    const failed = prompt.plan.result === 'error';
    const images =
      prompt.plan.result === 'empty' || failed
        ? []
        : Array.from({ length: prompt.plan.files ?? 1 }, (_, index) => ({
            filename: index === 0 ? `${id}.png` : `${id}-${index}.png`,
            subfolder: '',
            type: 'output',
          }));
    sendJson(response, 200, {
      [id]: {
        prompt: itemOf(prompt),
        outputs: failed ? {} : { '9': { images } },
        status: { status_str: failed ? 'error' : 'success', completed: !failed, messages: [['SECRET', {}]] },
      },
    });
  }

  async #view(response: ServerResponse, query: URLSearchParams): Promise<void> {
    const prompt = this.#prompts.get((query.get('filename') ?? '').replace('.png', ''));
    if (prompt === undefined || prompt.plan.result === 'no-file') return void response.writeHead(404).end();
    const isJpeg = prompt.plan.result === 'jpeg';
    const bytes = await renderPicture({
      prompt: JSON.stringify(prompt.graph),
      seed: 1,
      index: 0,
      width: 64,
      height: 64,
      format: isJpeg ? 'jpeg' : 'png',
    });
    const file = isJpeg ? bytes : withTexts(bytes, prompt.graph, prompt.plan.result === 'signed');
    response.writeHead(200, { 'content-type': isJpeg ? 'image/jpeg' : 'image/png' }).end(file);
  }

  async #upload(request: IncomingMessage, response: ServerResponse, raw: Buffer): Promise<void> {
    const type = request.headers['content-type'] ?? '';
    const form = await new Response(new Uint8Array(raw), { headers: { 'content-type': type } }).formData();
    const image = form.get('image');
    if (!(image instanceof File)) return sendJson(response, 400, {});
    this.uploads.push({ name: image.name, bytes: Buffer.from(await image.arrayBuffer()) });
    sendJson(response, 200, { name: image.name, subfolder: '', type: 'input' });
  }
}

/** As the queue and the history show a job. */
function itemOf({ id, graph, mark }: FakePrompt): unknown[] {
  return [1, id, graph, { client_id: mark, create_time: 1 }, ['9']];
}

/** The server brings values to the types of its nodes: INT and FLOAT from texts, STRING from numbers. */
function asTaken(graph: FakePrompt['graph']): FakePrompt['graph'] {
  const taken = structuredClone(graph);
  for (const { inputs } of Object.values(taken)) {
    if (typeof inputs.seed === 'string') inputs.seed = Number(inputs.seed);
    if (typeof inputs.text === 'number') inputs.text = String(inputs.text);
  }
  return taken;
}

/** As SaveImage writes a PNG: the graph in a text chunk `prompt` after IHDR. */
export function withTexts(png: Buffer, graph: unknown, signed = false): Buffer {
  const afterHeader = 8 + 12 + 13;
  return Buffer.concat([
    png.subarray(0, afterHeader),
    pngChunk('tEXt', `prompt\0${JSON.stringify(graph)}`),
    pngChunk('tEXt', 'workflow\0{"SECRET":"workflow"}'),
    pngChunk('tEXt', 'Software\0ComfyUI'),
    ...(signed ? [pngChunk('caBX', 'manifest')] : []),
    png.subarray(afterHeader),
  ]);
}

export function pngChunk(type: string, data: string): Buffer {
  const content = Buffer.concat([Buffer.from(type, 'latin1'), Buffer.from(data, 'latin1')]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(content.length - 4);
  const check = Buffer.alloc(4);
  check.writeUInt32BE(crc32(content));
  return Buffer.concat([length, content, check]);
}
