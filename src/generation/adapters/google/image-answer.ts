import { z } from 'zod';
import { type CompletedStep, type FailedStep, type ProviderOutput } from '../../domain/provider.port.js';
import { areAllTokens, readUsage, type Usage } from '../../domain/usage.js';
import { decodeBase64 } from '../../../shared/bytes.js';
import { claims } from '../vendor/outputs.js';
import { failed } from '../vendor/refusal.js';

const count = z.number().optional().catch(undefined);
const word = z
  .string()
  .regex(/^[A-Za-z0-9_.:/-]{1,100}$/)
  .optional()
  .catch(undefined);
const details = z
  .array(z.object({ modality: z.string().max(40).optional(), tokenCount: count }))
  .max(20)
  .optional()
  .catch(undefined);

/**
 * The answer of `generateContent`. Thought signatures are left out by this schema: they are the model's opaque memory
 * for a next turn, and nothing of them belongs into a claim.
 */
export const ImageAnswer = z.object({
  candidates: z
    .array(
      z.object({
        content: z
          .object({
            parts: z
              .array(
                z.object({
                  inlineData: z
                    .object({ data: z.string().optional(), mimeType: z.string().max(200).optional() })
                    .optional(),
                  /** Drafts on the way to the picture; not the picture. */
                  thought: z.boolean().optional(),
                }),
              )
              .max(200)
              .optional(),
          })
          .optional(),
        finishReason: word,
      }),
    )
    .max(16)
    .optional(),
  promptFeedback: z.object({ blockReason: word }).optional(),
  usageMetadata: z
    .object({
      promptTokenCount: count,
      candidatesTokenCount: count,
      thoughtsTokenCount: count,
      totalTokenCount: count,
      promptTokensDetails: details,
      candidatesTokensDetails: details,
    })
    .optional()
    .catch(undefined),
  modelVersion: word,
  responseId: word,
});
export type ImageAnswer = z.output<typeof ImageAnswer>;

/** Of `finishReason`: those that are about what was made. */
const CONTENT_REASONS: ReadonlySet<string> = new Set([
  'SAFETY',
  'RECITATION',
  'BLOCKLIST',
  'PROHIBITED_CONTENT',
  'SPII',
  'IMAGE_SAFETY',
  'IMAGE_PROHIBITED_CONTENT',
  'IMAGE_RECITATION',
]);

/** A blocked prompt or picture is a definite failure; what was used until then is on the bill. */
export function imageOutcome(answer: ImageAnswer): CompletedStep | FailedStep {
  const blocked = answer.promptFeedback?.blockReason;
  if (blocked !== undefined)
    return {
      ...failed('upstream_error', `google blocked the prompt (${blocked})`),
      contentRefusal: { word: blocked, at: 'prompt' },
    };
  const [candidate] = answer.candidates ?? [];
  const outputs = (candidate?.content?.parts ?? []).flatMap(outputOf);
  const usage = usageOf(answer, outputs.length > 0);
  const finish = candidate?.finishReason;
  if (outputs.length > 0 && (finish === undefined || finish === 'STOP')) {
    const { modelVersion, responseId } = answer;
    return {
      kind: 'completed',
      outputs,
      usage,
      claims: claims({ modelVersion, responseId, finishReason: finish }),
    };
  }
  const failure =
    finish === undefined || finish === 'STOP'
      ? failed('upstream_invalid', 'the answer holds no picture')
      : failed('upstream_error', `google ended without a picture (${finish})`);
  const refused =
    finish !== undefined && CONTENT_REASONS.has(finish)
      ? { contentRefusal: { word: finish, at: 'output' } }
      : {};
  return { ...failure, ...refused, mayBeBilled: true, ...(usage === undefined ? {} : { usage }) };
}

function outputOf(part: {
  readonly inlineData?: { readonly data?: string | undefined } | undefined;
  readonly thought?: boolean | undefined;
}): ProviderOutput[] {
  if (part.thought === true || part.inlineData?.data === undefined) return [];
  const bytes = decodeBase64(part.inlineData.data);
  return bytes === undefined ? [] : [{ kind: 'bytes', bytes }];
}

/**
 * `undefined` where the parts leave out some of the tokens, or a picture that was made: then the estimate stands. Thoughts
 * are counted beside the candidates, and billed as text that was put out.
 */
function usageOf({ usageMetadata }: ImageAnswer, madePicture: boolean): Usage | undefined {
  if (usageMetadata === undefined) return undefined;
  const { promptTokensDetails, candidatesTokensDetails, thoughtsTokenCount: thinking = 0 } = usageMetadata;
  const input = tokensOf(promptTokensDetails, usageMetadata.promptTokenCount, 'TEXT');
  // Without details all of it may be pictures, which is the dearer rate.
  const output = tokensOf(candidatesTokensDetails, usageMetadata.candidatesTokenCount, 'IMAGE');
  if (input === undefined || output === undefined || (madePicture && output.image === 0)) return undefined;
  const parts = [input.text, input.image, output.text, output.image, thinking];
  if (parts.some((tokens) => tokens < 0) || !areAllTokens(usageMetadata.totalTokenCount, parts))
    return undefined;
  return readUsage({
    'input-text-token': input.text,
    'input-image-token': input.image,
    'output-text-token': output.text + thinking,
    'output-image-token': output.image,
    'output-thinking-token': thinking,
  });
}

type TokenDetails = readonly {
  readonly modality?: string | undefined;
  readonly tokenCount?: number | undefined;
}[];

/** @param otherwise what all of them are where there are no details */
function tokensOf(
  details: TokenDetails | undefined,
  total: number | undefined,
  otherwise: 'TEXT' | 'IMAGE',
): { readonly text: number; readonly image: number } | undefined {
  if (details === undefined || details.length === 0)
    return { text: otherwise === 'TEXT' ? (total ?? 0) : 0, image: otherwise === 'IMAGE' ? (total ?? 0) : 0 };
  const [text, image] = [sumOf(details, 'TEXT'), sumOf(details, 'IMAGE')];
  return areAllTokens(total, [text, image]) ? { text, image } : undefined;
}

function sumOf(tokens: TokenDetails, modality: string): number {
  return tokens.reduce((sum, part) => sum + (part.modality === modality ? (part.tokenCount ?? 0) : 0), 0);
}
