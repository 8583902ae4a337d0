import { readFile } from 'node:fs/promises';
import { GenerateVideosOperation, type GoogleGenAI, type Part } from '@google/genai';
import {
  type AcceptedStep,
  type CompletedStep,
  type FailedStep,
  type PlannedRequest,
  type Provider,
  type ProviderInput,
  type ProviderRequest,
  type RunningStep,
} from '../../domain/provider.port.js';
import { inputProblem, parameterProblem } from '../vendor/parameters.js';
import { askAgain, failed, submitFailure } from '../vendor/refusal.js';
import { type CallLimits, UnreadableAnswerError } from '../vendor/send-one.js';
import { askGoogle, googleErrorKind, type GoogleConnection } from './google-connection.js';
import { googleModelKind, isImagen } from './google-model.js';
import { googleParameterProblem, imageParameters, videoParameters } from './google-parameters.js';
import { ImageAnswer, imageOutcome } from './image-answer.js';
import { operationIdOf, operationName, VideoOperation, videoOutcome } from './video-operation.js';

export interface GoogleProviderOptions extends GoogleConnection {
  /** For one picture, which the API makes while we wait. Default 5 min. */
  readonly imageDeadlineMs?: number;
  /** For one request about a video. Default 30 s. */
  readonly requestDeadlineMs?: number;
}

const MAX_IMAGE_ANSWER_BYTES = 96 * 1024 * 1024;
const MAX_ANSWER_BYTES = 1024 * 1024;
const IMAGE_DEADLINE_MS = 5 * 60_000;
/** Google takes requests of 20 MB; base64 makes four bytes of three. */
const MAX_INLINE_BYTES = 14 * 1024 * 1024;

/**
 * Gemini's image models, which answer with the picture itself (a lost answer is billed and lost), and Veo, which gives
 * an operation to ask about. Both on the Gemini API; Vertex AI is another channel with other terms, and not this one.
 */
export class GoogleProvider implements Provider {
  readonly name = 'google';
  readonly resubmission = 'charges_again';
  readonly channel = 'gemini-api';

  constructor(private readonly options: GoogleProviderOptions) {}

  problemWith({ endpoint, operation, parameters, inputs }: PlannedRequest): string | undefined {
    if (isImagen(endpoint)) return 'Imagen runs on Vertex AI only, which is not among the providers here';
    const kind = googleModelKind(endpoint);
    if (kind === undefined) return 'the endpoint is not an image or video model of the Gemini API';
    const problem = parameterProblem(parameters) ?? inputProblem(parameters, inputs, ['image']);
    if (problem !== undefined) return problem;
    const fits = kind === 'image' ? ['generate', 'edit'] : ['generate-video', 'animate'];
    if (!fits.includes(operation)) return `this model of Google does not do "${operation}"`;
    if ((operation === 'edit' || operation === 'animate') && !('image' in inputs))
      return 'needs a picture named "image"';
    if (kind === 'video' && Object.keys(inputs).some((name) => name !== 'image'))
      return 'takes no other picture than "image"';
    return googleParameterProblem(kind, parameters);
  }

  async submit(
    request: ProviderRequest,
    signal: AbortSignal,
  ): Promise<AcceptedStep | CompletedStep | FailedStep> {
    const problem = this.problemWith(request);
    if (problem !== undefined) return failed('upstream_error', problem);
    let pictures: { inlineData: { mimeType: string; data: string } }[];
    try {
      pictures = await readPictures(request.inputs);
    } catch (error) {
      return failed(
        'upstream_error',
        error instanceof RangeError ? error.message : 'an input picture could not be read',
      );
    }
    try {
      return googleModelKind(request.endpoint) === 'video'
        ? await this.#submitVideo(request, pictures[0]?.inlineData, signal)
        : await this.#generateImage(request, pictures, signal);
    } catch (error) {
      return submitFailure('google', error, googleErrorKind);
    }
  }

  async poll(
    { endpoint, upstreamId }: { readonly endpoint: string; readonly upstreamId: string },
    signal: AbortSignal,
  ): Promise<CompletedStep | RunningStep | FailedStep> {
    if (googleModelKind(endpoint) !== 'video') {
      // Reached only when a person vouches for a lost request.
      const reason = 'Google keeps no pictures: what was made is lost, and counted as billed';
      return { ...failed('upstream_invalid', reason), mayBeBilled: true };
    }
    const operation = new GenerateVideosOperation();
    operation.name = operationName(endpoint, upstreamId);
    try {
      const answer = await askGoogle(this.options, this.#limits(signal), (client) =>
        client.operations.getVideosOperation({ operation }),
      );
      const state = VideoOperation.parse(answer.data);
      if (state.name !== operation.name)
        return failed('upstream_invalid', 'google answered for another operation');
      return videoOutcome(state, this.options);
    } catch (error) {
      throw askAgain('google', error);
    }
  }

  /** The Gemini API has no way to cancel a video. */
  cancel(): Promise<void> {
    return Promise.resolve();
  }

  async #generateImage(
    request: ProviderRequest,
    pictures: readonly Part[],
    signal: AbortSignal,
  ): Promise<CompletedStep | FailedStep> {
    const { prompt, aspectRatio, imageSize, seed } = imageParameters.parse(request.parameters);
    const limits = {
      deadlineMs: this.options.imageDeadlineMs ?? IMAGE_DEADLINE_MS,
      maxResponseBytes: MAX_IMAGE_ANSWER_BYTES,
      signal,
    };
    const imageConfig = {
      ...(aspectRatio === undefined ? {} : { aspectRatio }),
      ...(imageSize === undefined ? {} : { imageSize }),
    };
    const answer = await askGoogle(this.options, limits, (client) =>
      client.models.generateContent({
        model: request.endpoint,
        contents: [{ role: 'user', parts: [...pictures, { text: prompt }] }],
        config: {
          responseModalities: ['IMAGE'],
          imageConfig,
          ...(seed === undefined ? {} : { seed }),
        },
      }),
    );
    return imageOutcome(ImageAnswer.parse(answer.data));
  }

  async #submitVideo(
    request: ProviderRequest,
    picture: { mimeType: string; data: string } | undefined,
    signal: AbortSignal,
  ): Promise<AcceptedStep> {
    const { prompt, ...config } = videoParameters.parse(request.parameters);
    const answer = await askGoogle(this.options, this.#limits(signal), (client: GoogleGenAI) =>
      client.models.generateVideos({
        model: request.endpoint,
        source: {
          prompt,
          ...(picture === undefined
            ? {}
            : { image: { imageBytes: picture.data, mimeType: picture.mimeType } }),
        },
        config: { numberOfVideos: 1, ...definedOf(config) },
      }),
    );
    const upstreamId = operationIdOf(VideoOperation.parse(answer.data).name, request.endpoint);
    if (upstreamId === undefined) throw new UnreadableAnswerError('google');
    return { kind: 'accepted', upstreamId };
  }

  #limits(signal: AbortSignal): CallLimits {
    return {
      deadlineMs: this.options.requestDeadlineMs ?? 30_000,
      maxResponseBytes: MAX_ANSWER_BYTES,
      signal,
    };
  }
}

/** `image` first: models refer to pictures by their order. */
async function readPictures(
  inputs: Readonly<Record<string, ProviderInput>>,
): Promise<{ inlineData: { mimeType: string; data: string } }[]> {
  const names = Object.keys(inputs).sort((a, b) =>
    a === 'image' ? -1 : b === 'image' ? 1 : a.localeCompare(b, 'en'),
  );
  const pictures = [];
  let sizeBytes = 0;
  for (const name of names) {
    const input = inputs[name];
    if (input === undefined) continue;
    const bytes = await readFile(input.path);
    sizeBytes += bytes.byteLength;
    if (sizeBytes > MAX_INLINE_BYTES) throw new RangeError('the input pictures are larger than google takes');
    pictures.push({ inlineData: { mimeType: input.mediaType, data: bytes.toString('base64') } });
  }
  return pictures;
}

function definedOf<Values extends object>(
  values: Values,
): { [Name in keyof Values]: Exclude<Values[Name], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [Name in keyof Values]: Exclude<Values[Name], undefined>;
  };
}
