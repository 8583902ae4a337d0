import { z } from 'zod';

/** Names only; free text of an error may repeat the prompt or a signed URL. */
const Token = z.string().regex(/^[A-Za-z0-9_.-]{1,64}$/);
const ErrorType = z.object({ error_type: Token });
const ModelErrors = z.object({
  detail: z
    .array(z.object({ type: Token, loc: z.array(z.union([Token, z.int()])).max(8) }))
    .min(1)
    .max(100),
});

/** The kind of an error as fal names it, e.g. `content_policy_violation at body.prompt`; never its message. */
export function errorKind(body: unknown): string | undefined {
  const flat = ErrorType.safeParse(body);
  if (flat.success) return flat.data.error_type;
  const model = ModelErrors.safeParse(body);
  const first = model.success ? model.data.detail[0] : undefined;
  return first && `${first.type} at ${first.loc.join('.')}`;
}
