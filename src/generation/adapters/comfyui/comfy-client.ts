import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { guardedFetch, type OutboundPolicy } from '../../../outbound/guarded-fetch.js';
import { readBody } from '../../../outbound/response-limits.js';
import { type ProviderInput } from '../../domain/provider.port.js';
import { type SeenJob } from './job-marks.js';
import { UnreadableAnswerError, VendorHttpError } from '../vendor/send-one.js';

const VENDOR = 'comfyui';
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;
const MAX_FILE_BYTES = 256 * 1024 * 1024;

const Submitted = z.object({ prompt_id: z.string().max(100) });
const OutputFile = z.object({
  filename: z.string().min(1).max(300),
  subfolder: z.string().max(300).default(''),
  type: z.enum(['output', 'temp', 'input']),
});
export type OutputFile = z.output<typeof OutputFile>;
/** `[number, prompt_id, prompt, extra_data, outputs_to_execute]` */
const QueueItem = z.array(z.unknown()).min(2);
type QueueItem = z.output<typeof QueueItem>;
const HistoryEntry = z.object({
  prompt: QueueItem.optional(),
  outputs: z.record(z.string(), z.record(z.string(), z.unknown())).default({}),
  status: z
    .object({ status_str: z.string().max(40).optional(), completed: z.boolean().optional() })
    .nullish(),
});
export type HistoryEntry = z.output<typeof HistoryEntry>;
const Queue = z.object({
  queue_running: z.array(QueueItem).max(10_000),
  queue_pending: z.array(QueueItem).max(10_000),
});
const Uploaded = z.object({
  name: z.string().min(1).max(300),
  subfolder: z.string().max(300).default(''),
});

export interface ComfyLimits {
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
}

export interface QueuedJob extends SeenJob {
  readonly place: 'running' | 'pending';
}

/** The HTTP routes of one ComfyUI server. Each call is one request through the guarded fetch. */
export class ComfyClient {
  private readonly baseUrl: string;

  constructor(
    baseUrl: string,
    private readonly outbound: OutboundPolicy,
  ) {
    this.baseUrl = baseUrl.replace(/\/+$/, '');
  }

  /**
   * Queues a graph under an id of our choice. `extra_data` stays out: it would put the workflow into the file.
   * @param mark kept by the server with the job and shown with it, as the name of a client
   * @returns the id that the server uses: older servers make their own
   */
  async submit(promptId: string, mark: string, graph: unknown, limits: ComfyLimits): Promise<string> {
    const body = { prompt: graph, prompt_id: promptId, client_id: mark };
    return read(Submitted, await this.json('POST', '/prompt', limits, body)).prompt_id;
  }

  async history(promptId: string, limits: ComfyLimits): Promise<HistoryEntry | undefined> {
    const answer = await this.json('GET', `/history/${encodeURIComponent(promptId)}`, limits);
    return read(z.record(z.string(), HistoryEntry), answer)[promptId];
  }

  /** Everything in the queue under this id: the server takes an id more than once. */
  async queued(promptId: string, limits: ComfyLimits): Promise<QueuedJob[]> {
    const queue = read(Queue, await this.json('GET', '/queue', limits));
    const jobs = (items: readonly QueueItem[], place: QueuedJob['place']): QueuedJob[] =>
      items.filter((item) => item[1] === promptId).map((item) => ({ ...seenIn(item), place }));
    return [...jobs(queue.queue_running, 'running'), ...jobs(queue.queue_pending, 'pending')];
  }

  async removeFromQueue(promptId: string, limits: ComfyLimits): Promise<void> {
    await this.json('POST', '/queue', limits, { delete: [promptId] });
  }

  /** Newer servers stop only the named prompt; older ones stop whatever runs, so it is asked first what that is. */
  async interrupt(promptId: string, limits: ComfyLimits): Promise<void> {
    await this.json('POST', '/interrupt', limits, { prompt_id: promptId });
  }

  /** @returns the name under which a graph finds the file */
  async upload(file: ProviderInput, limits: ComfyLimits): Promise<string> {
    const form = new FormData();
    const extension = file.mediaType.split('/')[1] ?? 'bin';
    const content = new File([new Uint8Array(await readFile(file.path))], `${file.sha256}.${extension}`, {
      type: file.mediaType,
    });
    form.set('image', content);
    form.set('type', 'input');
    // The name is the hash of the content, so what it replaces is the same.
    form.set('overwrite', 'true');
    const { name, subfolder } = read(Uploaded, await this.json('POST', '/upload/image', limits, form));
    return subfolder === '' ? name : `${subfolder}/${name}`;
  }

  async file({ filename, subfolder, type }: OutputFile, limits: ComfyLimits): Promise<Buffer> {
    const query = new URLSearchParams({ filename, subfolder, type });
    const response = await guardedFetch({
      ...this.outbound,
      ...limits,
      url: `${this.baseUrl}/view?${query.toString()}`,
      maxResponseBytes: MAX_FILE_BYTES,
    });
    if (response.status !== 200) {
      response.discard();
      throw new VendorHttpError(VENDOR, response.status, undefined);
    }
    return readBody(response.body);
  }

  private async json(
    method: 'GET' | 'POST',
    path: string,
    limits: ComfyLimits,
    body?: unknown,
  ): Promise<unknown> {
    const encoded = body instanceof FormData ? new Response(body) : undefined;
    const type = encoded?.headers.get('content-type') ?? 'application/json';
    const content = encoded ? new Uint8Array(await encoded.arrayBuffer()) : JSON.stringify(body);
    const response = await guardedFetch({
      ...this.outbound,
      ...limits,
      url: `${this.baseUrl}${path}`,
      method,
      headers: body === undefined ? {} : { 'content-type': type },
      ...(body === undefined ? {} : { body: content }),
      maxResponseBytes: MAX_ANSWER_BYTES,
    });
    const text = (await readBody(response.body)).toString('utf8');
    if (response.status < 200 || response.status > 299)
      throw new VendorHttpError(VENDOR, response.status, parseJson(text));
    // Deleting and interrupting answer with nothing.
    return text === '' ? undefined : parseJson(text);
  }
}

const ExtraData = z.object({ client_id: z.unknown() });

/** The graph and the mark in an item of the queue or the history; `undefined` where the server leaves them out. */
export function seenIn(item: QueueItem | undefined): SeenJob {
  const extra = ExtraData.safeParse(item?.[3]);
  return { graph: item?.[2], mark: extra.success ? extra.data.client_id : undefined };
}

/** The files of one output node, of whatever kind the node gives them. */
export function filesOfNode(entry: HistoryEntry, nodeId: string): OutputFile[] {
  return Object.values(entry.outputs[nodeId] ?? {}).flatMap((value) => {
    const files = z.array(OutputFile).max(64).safeParse(value);
    return files.success ? files.data : [];
  });
}

function read<Output>(schema: z.ZodType<Output>, value: unknown): Output {
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw new UnreadableAnswerError(VENDOR);
  return parsed.data;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
