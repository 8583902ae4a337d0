import { type Asset } from '../../../../assets/domain/asset.js';
import { type StepRun } from '../../../domain/run.js';
import { type ClearedModel } from '../../application/list-gateway-models.js';
import { type AnswerBody, type BodyPart } from '../answer-body.js';
import { type MadeRun } from '../gateway-answers.js';

/** `ImagesResponse` with the signed pictures inside, or with addresses of them. */
export function imagesAnswer(made: MadeRun, urls?: readonly string[]): AnswerBody {
  const { created, ...facts } = factsOf(made);
  const pictures = made.assets.flatMap((_, position): BodyPart[] => [
    position === 0 ? '' : ',',
    ...(urls === undefined
      ? ['{"b64_json":"', { base64Of: position }, '"}']
      : [JSON.stringify({ url: urls[position] })]),
  ]);
  const rest = JSON.stringify(facts).slice(1);
  return {
    contentType: 'application/json; charset=utf-8',
    parts: [`{"created":${created},"data":[`, ...pictures, rest === '}' ? ']}' : `],${rest}`],
  };
}

/** A stream of one event: the finished, signed picture. Partial pictures are never asked for: they would be unsigned. */
export function imagesStream(made: MadeRun, kind: 'image_generation' | 'image_edit'): AnswerBody {
  const type = `${kind}.completed`;
  const { created, ...facts } = factsOf(made);
  const head = JSON.stringify({ type, created_at: created, background: 'auto', quality: 'auto', ...facts });
  return {
    contentType: 'text/event-stream; charset=utf-8',
    parts: [`event: ${type}\ndata: ${head.slice(0, -1)},"b64_json":"`, { base64Of: 0 }, '"}\n\n'],
  };
}

export function modelsAnswer(models: readonly ClearedModel[]) {
  return { object: 'list', data: models.map(modelAnswer) };
}

/** When a model was made is not known here; the SDK wants a number, and 0 is no date of any model. */
export function modelAnswer({ name, listingId, operations }: ClearedModel) {
  return {
    id: name,
    object: 'model',
    created: 0,
    owned_by: listingId,
    colophon: { listingId, operations },
  };
}

/** What is known about the pictures: sizes and types as they are, and what the vendor said of the rest. */
function factsOf({ run, steps, assets }: MadeRun) {
  const [step, asset] = [steps[0], assets[0]];
  const claims = step?.claims ?? {};
  return {
    created: Math.floor((run.finishedAt ?? run.createdAt).getTime() / 1000),
    ...wordOf('background', claims.background),
    ...wordOf('quality', claims.quality),
    ...(asset === undefined ? {} : shapeOf(asset)),
    ...usageOf(steps),
  };
}

function shapeOf({ mediaType, width, height }: Asset): Record<string, string> {
  const format = mediaType.replace('image/', '');
  return {
    output_format: format,
    ...(width === undefined || height === undefined ? {} : { size: `${width}x${height}` }),
  };
}

function wordOf(name: string, claim: string | number | boolean | undefined): Record<string, string> {
  return typeof claim === 'string' ? { [name]: claim } : {};
}

/** Tokens of all steps together. Left out where the vendor did not count: unknown is never 0. The sandbox uses none. */
function usageOf(steps: readonly StepRun[]) {
  const usages = steps.map(({ usage, provider }) => (provider === 'sandbox' ? {} : usage));
  if (usages.some((usage) => usage === undefined)) return {};
  const sum = (
    meter: 'input-text-token' | 'input-image-token' | 'output-text-token' | 'output-image-token',
  ) => usages.reduce((total, usage) => total + (usage?.[meter] ?? 0), 0);
  const input = { text_tokens: sum('input-text-token'), image_tokens: sum('input-image-token') };
  const output = { text_tokens: sum('output-text-token'), image_tokens: sum('output-image-token') };
  const [inputTokens, outputTokens] = [input, output].map(
    ({ text_tokens, image_tokens }) => text_tokens + image_tokens,
  );
  return {
    usage: {
      input_tokens: inputTokens,
      input_tokens_details: input,
      output_tokens: outputTokens,
      output_tokens_details: output,
      total_tokens: (inputTokens ?? 0) + (outputTokens ?? 0),
    },
  };
}
