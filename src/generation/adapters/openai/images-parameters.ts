import { z } from 'zod';

const common = {
  prompt: z.string().min(1).max(32_000),
  size: z
    .string()
    .regex(/^(?:auto|\d{2,4}x\d{2,4})$/)
    .optional(),
  quality: z.enum(['auto', 'low', 'medium', 'high', 'xhigh', 'max']).optional(),
  background: z.enum(['auto', 'transparent', 'opaque']).optional(),
  output_format: z.enum(['png', 'jpeg', 'webp', 'gif', 'svg']).optional(),
  output_compression: z.int().min(0).max(100).optional(),
  n: z.literal(1).optional(),
};
const generate = z.strictObject({ ...common, moderation: z.enum(['auto', 'low']).optional() });
const edit = z.strictObject({ ...common, input_fidelity: z.enum(['low', 'high']).optional() });
type Body = { prompt: string } & Record<string, never>;

/**
 * The parameters that are passed on: a closed list. Whatever else OpenAI takes (streams of partial pictures, names of
 * users) would leave our hands unsigned or unrecorded.
 */
export const imagesParameters = {
  problemWith(
    operation: 'generate' | 'edit',
    parameters: Readonly<Record<string, unknown>>,
  ): string | undefined {
    const parsed = (operation === 'generate' ? generate : edit).safeParse(parameters);
    if (parsed.success) return undefined;
    const [issue] = parsed.error.issues;
    if (issue?.code === 'unrecognized_keys')
      return 'a parameter is not among those that are passed on to OpenAI';
    return `parameters.${issue?.path.join('.') ?? ''}: is not a value that OpenAI takes`;
  },

  /** To be called with parameters that were judged. */
  read(parameters: Readonly<Record<string, unknown>>): Body {
    return Object.fromEntries(Object.entries(parameters).filter(([name]) => name !== 'n')) as unknown as Body;
  },
};
