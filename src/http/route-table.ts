import { type NestFastifyApplication } from '@nestjs/platform-fastify';
import { type FastifyInstance } from 'fastify';
import { type RouteAudit } from './audited.js';

export interface Route {
  readonly method: string;
  /** As the router knows it, e.g. `/v1/assets/:id/content`. */
  readonly path: string;
  /** What the route says about itself; exactly one, or something is wrong. */
  readonly audit: readonly RouteAudit[];
}

declare module 'fastify' {
  interface FastifyInstance {
    routeTable: Route[];
  }
}

/**
 * Lets the router tell of every route that is added from now on, whoever adds it. HEAD is left out: the router adds it
 * to every GET, and it shows nothing but headers.
 */
export function keepRouteTable(fastify: FastifyInstance): void {
  fastify.decorate('routeTable', []);
  fastify.addHook('onRoute', ({ method, url, config }) => {
    for (const one of [method].flat()) {
      if (one === 'HEAD' || fastify.routeTable.some((known) => known.method === one && known.path === url))
        continue;
      fastify.routeTable.push({ method: one, path: url, audit: config?.audit ?? [] });
    }
  });
}

/** Every route of an application that was initialized, by path. */
export function routesOf(app: NestFastifyApplication): readonly Route[] {
  const { routeTable }: FastifyInstance = app.getHttpAdapter().getInstance();
  return [...routeTable].sort((a, b) => order(a, b));
}

function order(a: Route, b: Route): number {
  const [left, right] = [`${a.path} ${a.method}`, `${b.path} ${b.method}`];
  return left < right ? -1 : Number(left > right);
}
