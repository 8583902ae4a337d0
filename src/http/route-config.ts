import 'reflect-metadata';
import { RouteConfig } from '@nestjs/platform-fastify';
import { FASTIFY_ROUTE_CONFIG_METADATA } from '@nestjs/platform-fastify/constants.js';
import { type FastifyContextConfig } from 'fastify';

/** Adds to what Fastify knows of a route: `RouteConfig` alone forgets what another decorator has said before. */
export function addRouteConfig(
  change: (known: FastifyContextConfig) => Partial<FastifyContextConfig>,
): MethodDecorator {
  return (target, name, descriptor) => {
    const known = (Reflect.getMetadata(FASTIFY_ROUTE_CONFIG_METADATA, descriptor.value as object) ??
      {}) as FastifyContextConfig;
    RouteConfig({ ...known, ...change(known) })(target, name, descriptor);
  };
}
