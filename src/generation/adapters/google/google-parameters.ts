import { z } from 'zod';
import { type GoogleModelKind } from './google-model.js';

const aspectRatio = z
  .string()
  .regex(/^\d{1,2}:\d{1,2}$/)
  .optional();

export const imageParameters = z.strictObject({
  prompt: z.string().min(1).max(32_000),
  aspectRatio,
  imageSize: z.enum(['512', '1K', '2K', '4K']).optional(),
  seed: z.int().min(0).max(2_147_483_647).optional(),
});

export const videoParameters = z.strictObject({
  prompt: z.string().min(1).max(32_000),
  aspectRatio,
  durationSeconds: z.int().min(1).max(60).optional(),
  resolution: z.enum(['720p', '1080p', '4k']).optional(),
  negativePrompt: z.string().max(4000).optional(),
  personGeneration: z.enum(['allow_all', 'allow_adult', 'dont_allow']).optional(),
});

/** What is wrong with the parameters, or `undefined`. A closed list: what Google takes besides is not passed on. */
export function googleParameterProblem(
  kind: GoogleModelKind,
  parameters: Readonly<Record<string, unknown>>,
): string | undefined {
  const parsed = (kind === 'image' ? imageParameters : videoParameters).safeParse(parameters);
  if (parsed.success) return undefined;
  const [issue] = parsed.error.issues;
  if (issue?.code === 'unrecognized_keys')
    return 'a parameter is not among those that are passed on to Google';
  return `parameters.${issue?.path.join('.') ?? ''}: is not a value that Google takes`;
}
