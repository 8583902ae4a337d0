import type OpenAI from 'openai';
import { type OutboundPolicy } from '../../../outbound/guarded-fetch.js';
import {
  type CompletedStep,
  type FailedStep,
  type PlannedRequest,
  type Provider,
  type ProviderRequest,
} from '../../domain/provider.port.js';
import { inputProblem, parameterProblem } from '../vendor/parameters.js';
import { failed, submitFailure } from '../vendor/refusal.js';
import { ImagesAnswer, imagesErrorKind, imagesOutcome } from './images-answer.js';
import { askImages, filesOf, type ImagesConnection, picturesOf } from './images-client.js';
import { imagesParameters } from './images-parameters.js';

export interface OpenAiProviderOptions {
  readonly apiKey: string;
  readonly outbound: OutboundPolicy;
  /** Another origin that speaks OpenAI's protocol, with `/v1`. */
  readonly baseUrl?: string;
  /** For one picture, which the API makes while we wait. Default 10 min. */
  readonly requestDeadlineMs?: number;
}

const BASE_URL = 'https://api.openai.com/v1';
const MODEL = /^(?:gpt-image-[a-z0-9][a-z0-9.-]{0,40}|chatgpt-image-latest)$/;
/** Switched off by OpenAI: told before money is reserved. */
const RETIRED: Readonly<Record<string, string>> = { 'gpt-image-1': '2026-10-23' };
/** 3840 x 2160 as PNG, in base64. */
const MAX_ANSWER_BYTES = 96 * 1024 * 1024;
const DEADLINE_MS = 10 * 60_000;

/**
 * Pictures by OpenAI's Images API. It answers with the picture itself: a lost answer is billed and lost, and there is no
 * list in which it could be found. So the request is made by the worker, which no client's connection ends, and partial
 * pictures are never asked for: they would leave unsigned.
 */
export class OpenAiProvider implements Provider {
  readonly name = 'openai';
  readonly resubmission = 'charges_again';
  readonly channel = 'openai';
  private readonly connection: ImagesConnection;

  constructor(private readonly options: OpenAiProviderOptions) {
    const { apiKey, outbound, baseUrl = BASE_URL } = options;
    this.connection = { vendor: 'openai', apiKey, outbound, baseUrl };
  }

  problemWith(request: PlannedRequest): string | undefined {
    const { endpoint, operation, parameters, inputs } = request;
    if (!MODEL.test(endpoint)) return 'the endpoint is not one of the image models of OpenAI';
    const retired = RETIRED[endpoint];
    if (retired !== undefined) return `OpenAI switched ${endpoint} off on ${retired}`;
    const problem = parameterProblem(parameters) ?? inputProblem(parameters, inputs, ['image']);
    if (problem !== undefined) return problem;
    if (operation === 'generate' && Object.keys(inputs).length > 0)
      return 'pictures are taken by the operation "edit" only';
    if (operation === 'edit' && !('image' in inputs)) return 'needs a picture named "image"';
    if (operation !== 'generate' && operation !== 'edit') return `OpenAI does not do "${operation}"`;
    return imagesParameters.problemWith(operation, parameters);
  }

  async submit(request: ProviderRequest, signal: AbortSignal): Promise<CompletedStep | FailedStep> {
    const problem = this.problemWith(request);
    if (problem !== undefined) return failed('upstream_error', problem);
    let send: (client: OpenAI) => Promise<unknown>;
    try {
      send = await callOf(request);
    } catch {
      return failed('upstream_error', 'an input picture could not be read');
    }
    try {
      const limits = {
        deadlineMs: this.options.requestDeadlineMs ?? DEADLINE_MS,
        maxResponseBytes: MAX_ANSWER_BYTES,
        signal,
      };
      const answer = await askImages(this.connection, limits, send);
      return imagesOutcome(ImagesAnswer.parse(answer.data), 'never');
    } catch (error) {
      return submitFailure('openai', error, imagesErrorKind);
    }
  }

  /** Reached only when a person vouches for a lost request: its picture cannot be had any more, but it was billed. */
  poll(): Promise<FailedStep> {
    const reason = 'OpenAI keeps no pictures: what was made is lost, and counted as billed';
    return Promise.resolve({ ...failed('upstream_invalid', reason), mayBeBilled: true });
  }

  cancel(): Promise<void> {
    return Promise.resolve();
  }
}

async function callOf({
  operation,
  endpoint,
  parameters,
  inputs,
}: ProviderRequest): Promise<(client: OpenAI) => Promise<unknown>> {
  const body = { ...imagesParameters.read(parameters), model: endpoint, n: 1, stream: false } as const;
  if (operation === 'generate') return (client) => client.images.generate(body);
  const pictures = picturesOf(inputs);
  const images = await filesOf(pictures.images);
  const [mask] = pictures.mask === undefined ? [] : await filesOf([pictures.mask]);
  const [only] = images;
  const image = images.length === 1 && only !== undefined ? only : images;
  return (client) => client.images.edit({ ...body, image, ...(mask === undefined ? {} : { mask }) });
}
