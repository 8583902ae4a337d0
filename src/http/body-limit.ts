import { type FastifyInstance } from 'fastify';
import { addRouteConfig } from './route-config.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Bytes; absent: the limit of the program. Set by {@link MaxBodyBytes} only. */
    maxBodyBytes?: number;
  }
}

/** A route whose JSON may be larger than elsewhere. */
export const MaxBodyBytes = (maxBodyBytes: number): MethodDecorator =>
  addRouteConfig(() => ({ maxBodyBytes }));

/** To be called before the first route is added. */
export function limitBodies(fastify: FastifyInstance): void {
  fastify.addHook('onRoute', (route) => {
    const { maxBodyBytes } = route.config ?? {};
    if (maxBodyBytes !== undefined) route.bodyLimit = maxBodyBytes;
  });
}
