import type OpenAI from 'openai';
import { type OutboundPolicy } from '../../../outbound/guarded-fetch.js';
import { allowedHostOf } from '../../../outbound/outbound-target.js';
import {
  type CompletedStep,
  type FailedStep,
  type PlannedRequest,
  type Provider,
  type ProviderRequest,
} from '../../domain/provider.port.js';
import { parameterWithWeightTag, weightTagProblem } from '../../domain/weight-tags.js';
import {
  EXTRA_PARAMETERS,
  type OpenAiCompatibleServer,
  ownEndpoint,
  type ServedModel,
} from '../../registry/own-servers.js';
import { ImagesAnswer, imagesErrorKind, imagesOutcome } from '../openai/images-answer.js';
import { askImages, filesOf, picturesOf } from '../openai/images-client.js';
import { inputProblem, parameterProblem } from '../vendor/parameters.js';
import { failed, submitFailure, uploadFailure } from '../vendor/refusal.js';
import { OtherWeightsError, ServerWeights } from './server-weights.js';

export interface OpenAiCompatibleOptions {
  readonly servers: readonly OpenAiCompatibleServer[];
  readonly outbound: OutboundPolicy;
  /** For one picture. Default 10 min. */
  readonly requestDeadlineMs?: number;
  /** For one question about weights. Default 30 s. */
  readonly weightsDeadlineMs?: number;
}

interface Target {
  readonly server: OpenAiCompatibleServer;
  readonly model: ServedModel;
}

const NAME = 'openai-compatible';
const MAX_ANSWER_BYTES = 96 * 1024 * 1024;
const DEADLINE_MS = 10 * 60_000;
const OWN = ['prompt', 'size', 'quality', 'background', 'output_format'] as const;

/**
 * Servers that speak OpenAI's Images API: vLLM-Omni, SGLang, LocalAI and their like, on the operator's machines. What
 * they have loaded is asked before each picture: a listing says which weights run, and a server that shows others gets
 * nothing. Each server's address is open to this adapter alone, not to what other providers name.
 */
export class OpenAiCompatibleProvider implements Provider {
  readonly name = NAME;
  readonly resubmission = 'charges_again';
  readonly channel = 'self-hosted';
  /** SGLang has one LoRA for the whole server: by server, the end of the last work on it. */
  private readonly queues = new Map<string, Promise<unknown>>();

  constructor(private readonly options: OpenAiCompatibleOptions) {}

  problemWith({ endpoint, operation, parameters, inputs }: PlannedRequest): string | undefined {
    const target = this.targetOf(endpoint);
    if (target === undefined) return 'no configured server has this endpoint';
    const problem = parameterProblem(parameters) ?? inputProblem(parameters, inputs, ['image']);
    if (problem !== undefined) return problem;
    if (!target.model.operations.some((known) => known === operation))
      return `this endpoint does not do "${operation}"`;
    if (operation === 'edit' && !('image' in inputs)) return 'needs a picture named "image"';
    if (operation === 'generate' && Object.keys(inputs).length > 0)
      return 'pictures are taken by the operation "edit" only';
    if (typeof parameters.prompt !== 'string') return 'needs a prompt';
    const tagged = target.server.ignoresWeightTags ? undefined : parameterWithWeightTag(parameters);
    if (tagged !== undefined) return weightTagProblem(tagged);
    const known = [...OWN, 'n', ...target.model.extraParameters];
    const unknown = Object.keys(parameters).find((name) => !known.some((allowed) => allowed === name));
    return unknown === undefined
      ? undefined
      : 'a parameter is not among those that this server is known to take';
  }

  async submit(request: ProviderRequest, signal: AbortSignal): Promise<CompletedStep | FailedStep> {
    const problem = this.problemWith(request);
    const target = this.targetOf(request.endpoint);
    if (problem !== undefined || target === undefined) return failed('upstream_error', problem ?? '');
    if (target.server.kind !== 'sglang') return this.generate(target, request, signal);
    return this.oneAtATime(target.server, () => this.generate(target, request, signal));
  }

  /** Reached only when a person vouches for a lost request. */
  poll(): Promise<FailedStep> {
    const reason = 'the server keeps no pictures: what was made is lost';
    return Promise.resolve({ ...failed('upstream_invalid', reason), mayBeBilled: true });
  }

  cancel(): Promise<void> {
    return Promise.resolve();
  }

  private async generate(
    target: Target,
    request: ProviderRequest,
    signal: AbortSignal,
  ): Promise<CompletedStep | FailedStep> {
    const outbound = this.outboundOf(target.server);
    const weights = new ServerWeights(target.server, outbound);
    const limits = { deadlineMs: this.options.weightsDeadlineMs ?? 30_000, signal };
    let send: (client: OpenAI) => Promise<unknown>;
    try {
      await weights.require(target.model, limits);
      if (target.server.kind === 'sglang') await weights.switchLora(target.model, limits);
      send = await callOf(target, request);
    } catch (error) {
      // Nothing was generated yet.
      if (error instanceof OtherWeightsError) return failed('upstream_error', error.message);
      return uploadFailure(error, imagesErrorKind);
    }
    const outcome = await this.ask(target, send, signal);
    if (target.server.kind !== 'sglang' || outcome.kind !== 'completed') return outcome;
    try {
      // Somebody else may have switched meanwhile: then nobody knows what made the picture.
      await weights.requireLora(target.model, limits);
      return outcome;
    } catch {
      const reason = 'the weights of the server were changed while it worked';
      return { ...failed('upstream_invalid', reason), mayBeBilled: true };
    }
  }

  private async ask(
    { server, model }: Target,
    send: (client: OpenAI) => Promise<unknown>,
    signal: AbortSignal,
  ): Promise<CompletedStep | FailedStep> {
    const connection = {
      vendor: NAME,
      apiKey: server.apiKey ?? 'none',
      outbound: this.outboundOf(server),
      baseUrl: server.baseUrl,
    };
    const limits = {
      deadlineMs: this.options.requestDeadlineMs ?? DEADLINE_MS,
      maxResponseBytes: MAX_ANSWER_BYTES,
      signal,
    };
    try {
      const answer = await askImages(connection, limits, send);
      const outcome = imagesOutcome(ImagesAnswer.parse(answer.data), 'never');
      if (outcome.kind !== 'completed') return outcome;
      const lora = model.lora === undefined ? {} : { lora: model.lora.name, loraScale: model.lora.scale };
      return {
        ...outcome,
        claims: { ...outcome.claims, server: server.name, model: model.servedModel, ...lora },
      };
    } catch (error) {
      return submitFailure(NAME, error, imagesErrorKind);
    }
  }

  private targetOf(endpoint: string): Target | undefined {
    for (const server of this.options.servers) {
      const model = server.models.find(({ name }) => ownEndpoint(server.name, name) === endpoint);
      if (model !== undefined) return { server, model };
    }
    return undefined;
  }

  private outboundOf(server: OpenAiCompatibleServer): OutboundPolicy {
    const allowed = this.options.outbound.allowedPrivateHosts ?? [];
    if (!server.privateNetwork) return this.options.outbound;
    return { ...this.options.outbound, allowedPrivateHosts: [...allowed, allowedHostOf(server.baseUrl)] };
  }

  private oneAtATime<T>(server: OpenAiCompatibleServer, work: () => Promise<T>): Promise<T> {
    const before = this.queues.get(server.name) ?? Promise.resolve();
    const mine = before.then(work, work);
    this.queues.set(
      server.name,
      mine.catch(() => undefined),
    );
    return mine;
  }
}

async function callOf(
  { server, model }: Target,
  { operation, parameters, inputs }: ProviderRequest,
): Promise<(client: OpenAI) => Promise<unknown>> {
  const { lora } = model;
  const extra = Object.fromEntries(
    EXTRA_PARAMETERS.flatMap((name) => (name in parameters ? [[name, parameters[name]]] : [])),
  );
  const own = Object.fromEntries(
    OWN.flatMap((name) => (name in parameters ? [[name, parameters[name]]] : [])),
  );
  const perRequest =
    server.kind === 'vllm-omni' && lora !== undefined
      ? { lora: { name: lora.name, path: lora.path, scale: lora.scale } }
      : {};
  const body = {
    ...(own as { prompt: string }),
    ...extra,
    ...perRequest,
    model: model.servedModel,
    n: 1,
    response_format: 'b64_json' as const,
    stream: false as const,
  };
  if (operation === 'generate') return (client) => client.images.generate(body);
  const pictures = picturesOf(inputs);
  const images = await filesOf(pictures.images);
  const [mask] = pictures.mask === undefined ? [] : await filesOf([pictures.mask]);
  const [only] = images;
  const image = images.length === 1 && only !== undefined ? only : images;
  return (client) => client.images.edit({ ...body, image, ...(mask === undefined ? {} : { mask }) });
}
