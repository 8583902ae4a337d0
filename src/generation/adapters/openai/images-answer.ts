import { z } from 'zod';
import { type AllowedPrivateHosts } from '../../../outbound/outbound-target.js';
import { type CompletedStep, type FailedStep, type ProviderOutput } from '../../domain/provider.port.js';
import { areAllTokens, readUsage, type Usage } from '../../domain/usage.js';
import { decodeBase64 } from '../../../shared/bytes.js';
import { claims, toOutput, UnusableResultError } from '../vendor/outputs.js';
import { failed } from '../vendor/refusal.js';

const count = z.number().optional().catch(undefined);
const word = z
  .string()
  .regex(/^[A-Za-z0-9_.-]{1,40}$/)
  .optional()
  .catch(undefined);

/** The answer of the Images API, of OpenAI and of servers that speak its protocol. */
export const ImagesAnswer = z.object({
  created: count,
  data: z
    .array(z.object({ b64_json: z.string().nullish(), url: z.string().max(65_536).nullish() }))
    .max(32)
    .nullish(),
  size: word,
  quality: word,
  background: word,
  output_format: word,
  usage: z
    .object({
      input_tokens: count,
      output_tokens: count,
      input_tokens_details: z.object({ text_tokens: count, image_tokens: count }).optional().catch(undefined),
      output_tokens_details: z
        .object({ text_tokens: count, image_tokens: count })
        .optional()
        .catch(undefined),
    })
    .optional()
    .catch(undefined),
});
export type ImagesAnswer = z.output<typeof ImagesAnswer>;

/**
 * What came of a request that the server did: answers without a picture were billed like the others.
 * @param urls whether pictures may be named by address; OpenAI's own models give bytes only
 */
export function imagesOutcome(
  answer: ImagesAnswer,
  urls: { readonly allowedPrivateHosts: AllowedPrivateHosts } | 'never',
): CompletedStep | FailedStep {
  const usage = usageOf(answer, (answer.data ?? []).length > 0);
  const unusable = (reason: string): FailedStep => ({
    ...failed('upstream_invalid', reason),
    mayBeBilled: true,
    ...(usage === undefined ? {} : { usage }),
  });
  try {
    const outputs = (answer.data ?? []).flatMap((image) => outputOf(image, urls) ?? []);
    if (outputs.length === 0) return unusable('the answer holds no picture');
    const { size, quality, background, output_format: format } = answer;
    return { kind: 'completed', outputs, usage, claims: claims({ size, quality, background, format }) };
  } catch (error) {
    if (error instanceof UnusableResultError) return unusable(error.message);
    throw error;
  }
}

function outputOf(
  image: { readonly b64_json?: string | null | undefined; readonly url?: string | null | undefined },
  urls: { readonly allowedPrivateHosts: AllowedPrivateHosts } | 'never',
): ProviderOutput | undefined {
  if (typeof image.b64_json === 'string') {
    const bytes = decodeBase64(image.b64_json);
    if (bytes === undefined) throw new UnusableResultError('the answer holds a picture that is not base64');
    return { kind: 'bytes', bytes };
  }
  if (typeof image.url !== 'string') return undefined;
  if (urls === 'never') throw new UnusableResultError('the answer names a picture by its address');
  return toOutput(image.url, urls.allowedPrivateHosts);
}

/**
 * Output is pictures where the server does not say otherwise. `undefined` where the details leave out some of the tokens, or
 * a picture that was made: then the estimate stands.
 */
function usageOf({ usage = {} }: ImagesAnswer, madePicture: boolean): Usage | undefined {
  const { input_tokens: allInput, output_tokens: allOutput } = usage;
  const input = tokensOf(usage.input_tokens_details) ?? { text: allInput, image: undefined };
  const output = tokensOf(usage.output_tokens_details) ?? { text: undefined, image: allOutput };
  const isWhole = areAllTokens(allInput, [input.text, input.image]);
  const isWholeOutput = areAllTokens(allOutput, [output.text, output.image]);
  if (!isWhole || !isWholeOutput || (madePicture && !output.image)) return undefined;
  return readUsage({
    'input-text-token': input.text,
    'input-image-token': input.image,
    'output-text-token': output.text,
    'output-image-token': output.image,
  });
}

interface Tokens {
  readonly text: number | undefined;
  readonly image: number | undefined;
}

/** `undefined` where nothing is said of the kinds of tokens. */
function tokensOf(
  details:
    { readonly text_tokens?: number | undefined; readonly image_tokens?: number | undefined } | undefined,
): Tokens | undefined {
  const { text_tokens: text, image_tokens: image } = details ?? {};
  return text === undefined && image === undefined ? undefined : { text, image };
}

/** The code of an error as OpenAI names it, e.g. `moderation_blocked`; never its message, which may repeat the prompt. */
export function imagesErrorKind(body: unknown): string | undefined {
  const token = z.string().regex(/^[A-Za-z0-9_.-]{1,64}$/);
  const parsed = z
    .object({
      error: z.object({ code: token.nullish().catch(undefined), type: token.nullish().catch(undefined) }),
    })
    .safeParse(body);
  return parsed.success ? (parsed.data.error.code ?? parsed.data.error.type ?? undefined) : undefined;
}
