import { z } from 'zod';
import { guardedFetch, type OutboundPolicy } from '../../../outbound/guarded-fetch.js';
import { readBody } from '../../../outbound/response-limits.js';
import { type OpenAiCompatibleServer, type ServedModel } from '../../registry/own-servers.js';
import { UnreadableAnswerError, VendorHttpError } from '../vendor/send-one.js';

const MAX_ANSWER_BYTES = 1024 * 1024;
const VENDOR = 'openai-compatible';

/** The server runs something else than the listing claims: nothing is sent to it. */
export class OtherWeightsError extends Error {}

const Models = z.object({
  data: z.array(z.object({ id: z.string(), root: z.string().nullish() })).max(1000),
});
const SglangModel = z.object({ model_path: z.string() });
const Loras = z.object({
  active: z
    .record(
      z.string(),
      z.array(z.object({ nickname: z.string(), path: z.string(), strength: z.number().nullish() })),
    )
    .nullish(),
});

export interface Limits {
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
}

/** Asks a server which weights it has loaded, and switches LoRAs where that is for the whole server. */
export class ServerWeights {
  constructor(
    private readonly server: OpenAiCompatibleServer,
    private readonly outbound: OutboundPolicy,
  ) {}

  /** @throws OtherWeightsError, VendorHttpError, UnreadableAnswerError, OutboundError */
  async require(model: ServedModel, limits: Limits): Promise<void> {
    if (this.server.kind === 'sglang') {
      const loaded = read(SglangModel, await this.ask('GET', this.rootUrl('/models'), limits));
      if (loaded.model_path !== model.weights) throw otherWeights();
      return;
    }
    const { data } = read(Models, await this.ask('GET', this.url('/models'), limits));
    const served = data.find(({ id }) => id === model.servedModel);
    if (served === undefined || (model.weights !== undefined && served.root !== model.weights))
      throw otherWeights();
  }

  /**
   * SGLang merges a LoRA into the weights of the whole server. To be called by one at a time.
   * @throws as {@link require}
   */
  async switchLora(model: ServedModel, limits: Limits): Promise<void> {
    if (await this.hasExactly(model, limits)) return;
    // "Must be called before setting a different LoRA" (SGLang Diffusion, OpenAI API, LoRA).
    await this.ask('POST', this.url('/unmerge_lora_weights'), limits, {});
    if (model.lora !== undefined) {
      const { name, path, scale } = model.lora;
      const body = { lora_nickname: name, lora_path: path, target: 'all', strength: scale };
      await this.ask('POST', this.url('/set_lora'), limits, body);
    }
    await this.requireLora(model, limits);
  }

  /** @throws OtherWeightsError when the server shows another LoRA than the listing claims, or one too many */
  async requireLora(model: ServedModel, limits: Limits): Promise<void> {
    if (!(await this.hasExactly(model, limits))) throw otherWeights();
  }

  private async hasExactly({ lora }: ServedModel, limits: Limits): Promise<boolean> {
    const { active } = read(Loras, await this.ask('GET', this.url('/list_loras'), limits));
    const loaded = Object.values(active ?? {}).flat();
    if (lora === undefined) return loaded.length === 0;
    return (
      loaded.length > 0 &&
      loaded.every(
        ({ nickname, path, strength }) =>
          nickname === lora.name && path === lora.path && (strength ?? 1) === lora.scale,
      )
    );
  }

  private url(path: string): string {
    return `${this.server.baseUrl.replace(/\/+$/, '')}${path}`;
  }

  private rootUrl(path: string): string {
    return `${new URL(this.server.baseUrl).origin}${path}`;
  }

  private async ask(method: 'GET' | 'POST', url: string, limits: Limits, body?: unknown): Promise<unknown> {
    const { apiKey } = this.server;
    const response = await guardedFetch({
      ...this.outbound,
      ...limits,
      url,
      method,
      headers: {
        accept: 'application/json',
        ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      maxResponseBytes: MAX_ANSWER_BYTES,
    });
    const json = parseJson(await readBody(response.body));
    if (response.status < 200 || response.status > 299)
      throw new VendorHttpError(VENDOR, response.status, json);
    return json;
  }
}

function read<Output>(schema: z.ZodType<Output>, value: unknown): Output {
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw new UnreadableAnswerError(VENDOR);
  return parsed.data;
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}

function otherWeights(): OtherWeightsError {
  return new OtherWeightsError('the server does not run the weights that the listing claims');
}
