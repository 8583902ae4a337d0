import { z } from 'zod';
import { type CompletedStep, type FailedStep, type ProviderOutput } from '../../domain/provider.port.js';
import { readUsage, type Usage } from '../../domain/usage.js';
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
      promptTokensDetails: details,
      candidatesTokensDetails: details,
    })
    .optional()
    .catch(undefined),
  modelVersion: word,
  responseId: word,
});
export type ImageAnswer = z.output<typeof ImageAnswer>;

/** A blocked prompt or picture is a definite failure; what was used until then is on the bill. */
export function imageOutcome(answer: ImageAnswer): CompletedStep | FailedStep {
  const usage = usageOf(answer);
  const blocked = answer.promptFeedback?.blockReason;
  if (blocked !== undefined) return failed('upstream_error', `google blocked the prompt (${blocked})`);
  const [candidate] = answer.candidates ?? [];
  const outputs = (candidate?.content?.parts ?? []).flatMap(outputOf);
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
  return { ...failure, mayBeBilled: true, ...(usage === undefined ? {} : { usage }) };
}

function outputOf(part: {
  readonly inlineData?: { readonly data?: string | undefined } | undefined;
  readonly thought?: boolean | undefined;
}): ProviderOutput[] {
  if (part.thought === true || part.inlineData?.data === undefined) return [];
  const bytes = decodeBase64(part.inlineData.data);
  return bytes === undefined ? [] : [{ kind: 'bytes', bytes }];
}

function usageOf({ usageMetadata }: ImageAnswer): Usage | undefined {
  if (usageMetadata === undefined) return undefined;
  const { promptTokensDetails: input, candidatesTokensDetails: output } = usageMetadata;
  const outputText = sumOf(output, 'TEXT') + (usageMetadata.thoughtsTokenCount ?? 0);
  return readUsage({
    'input-text-token': input === undefined ? usageMetadata.promptTokenCount : sumOf(input, 'TEXT'),
    'input-image-token': sumOf(input, 'IMAGE'),
    'output-text-token': outputText,
    // Without details all of it may be pictures, which is the dearer rate.
    'output-image-token': output === undefined ? usageMetadata.candidatesTokenCount : sumOf(output, 'IMAGE'),
  });
}

function sumOf(
  tokens:
    | readonly { readonly modality?: string | undefined; readonly tokenCount?: number | undefined }[]
    | undefined,
  modality: string,
): number {
  return (tokens ?? []).reduce(
    (sum, part) => sum + (part.modality === modality ? (part.tokenCount ?? 0) : 0),
    0,
  );
}
