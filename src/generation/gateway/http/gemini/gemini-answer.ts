import { publicId } from '../../../../shared/ids.js';
import { type ContentRefusal } from '../../../domain/content-refusal.js';
import { type StepRun } from '../../../domain/run.js';
import { type ClearedModel } from '../../application/list-gateway-models.js';
import { type AnswerBody, type BodyPart } from '../answer-body.js';
import { type MadeRun } from '../gateway-answers.js';

/** How `streamGenerateContent` is answered: `alt=sse`, or an array of answers. */
export type Stream = 'none' | 'sse' | 'array';

/** `GenerateContentResponse` with the signed picture; as a stream it is the only piece. */
export function contentAnswer(made: MadeRun, model: string, stream: Stream): AnswerBody {
  const { run, steps, assets } = made;
  const [step, asset] = [steps[0], assets[0]];
  const mimeType = JSON.stringify(asset?.mediaType ?? 'application/octet-stream');
  const modelVersion = typeof step?.claims.modelVersion === 'string' ? step.claims.modelVersion : model;
  const rest = JSON.stringify({ ...usageOf(step), modelVersion, responseId: publicId('run', run.id) });
  const json = [
    `{"candidates":[{"content":{"role":"model","parts":[{"inlineData":{"mimeType":${mimeType},"data":"`,
    { base64Of: 0 },
    `"}}]},"finishReason":"STOP","index":0}],${rest.slice(1)}`,
  ] as const;
  return asStream(json, stream);
}

/** As Google itself says that it blocked a prompt, or ended without showing what was made: an answer without content. */
export function blockedAnswer(
  { word, at }: ContentRefusal,
  { model, runId }: { readonly model: string; readonly runId: string },
  stream: Stream,
): AnswerBody {
  const about = { modelVersion: model, responseId: publicId('run', runId) };
  const blocked =
    at === 'output'
      ? { candidates: [{ finishReason: word, index: 0 }], ...about }
      : // The sandbox refuses in words of its own.
        { promptFeedback: { blockReason: /^[A-Z_]+$/.test(word) ? word : 'PROHIBITED_CONTENT' }, ...about };
  return asStream([JSON.stringify(blocked)], stream);
}

function asStream(json: readonly BodyPart[], stream: Stream): AnswerBody {
  switch (stream) {
    case 'none':
      return { contentType: 'application/json; charset=utf-8', parts: json };
    case 'array':
      return { contentType: 'application/json; charset=utf-8', parts: ['[', ...json, ']'] };
    case 'sse':
      return { contentType: 'text/event-stream; charset=utf-8', parts: ['data: ', ...json, '\r\n\r\n'] };
  }
}

export function modelAnswer({ name, listingId, operations }: ClearedModel) {
  return {
    name: `models/${name}`,
    displayName: name,
    description: `${listingId}: ${operations.join(', ')}`,
    supportedGenerationMethods: ['generateContent', 'streamGenerateContent'],
  };
}

/** Left out where the vendor did not count: unknown is never 0. The sandbox uses none. */
function usageOf(step: StepRun | undefined) {
  const usage = step?.provider === 'sandbox' ? {} : step?.usage;
  if (usage === undefined) return {};
  const of = (meter: keyof typeof usage) => usage[meter] ?? 0;
  const [promptText, promptImage] = [of('input-text-token'), of('input-image-token')];
  const thinking = of('output-thinking-token');
  // Google counts what was thought beside what was put out.
  const [madeText, madeImage] = [of('output-text-token') - thinking, of('output-image-token')];
  const detail = (modality: string, tokenCount: number) => (tokenCount > 0 ? [{ modality, tokenCount }] : []);
  return {
    usageMetadata: {
      promptTokenCount: promptText + promptImage,
      candidatesTokenCount: madeText + madeImage,
      ...(thinking === 0 ? {} : { thoughtsTokenCount: thinking }),
      totalTokenCount: promptText + promptImage + madeText + madeImage + thinking,
      promptTokensDetails: [...detail('TEXT', promptText), ...detail('IMAGE', promptImage)],
      candidatesTokensDetails: [...detail('TEXT', madeText), ...detail('IMAGE', madeImage)],
    },
  };
}
