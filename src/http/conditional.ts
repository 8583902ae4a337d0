import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { type FastifyRequest } from 'fastify';

const MAX_TAGS = 100;

/**
 * Whether the caller says that it holds this very content already (RFC 9110, section 13.1.2): then 304 is the answer,
 * and no byte of it leaves.
 *
 * @param ifNoneMatch the header as sent: `*`, or entity tags, of which the weak ones count as well
 */
export function isHeldAlready(ifNoneMatch: string | undefined, entityTag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  const tags = ifNoneMatch.split(',', MAX_TAGS).map((tag) => tag.trim().replace(/^W\//, ''));
  return tags.includes('*') || tags.includes(entityTag);
}

/** False for HEAD: the answer is made as for GET, and its body is dropped by the router. */
export const SendsBody = createParamDecorator(
  (_: unknown, context: ExecutionContext): boolean =>
    context.switchToHttp().getRequest<FastifyRequest>().method !== 'HEAD',
);
