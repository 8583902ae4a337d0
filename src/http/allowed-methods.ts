import { type FastifyRequest } from 'fastify';

/**
 * The methods that the address of a request knows, for a request that no route matched; empty when the address is
 * unknown. The router itself is asked, so there is no second table of routes that could differ from it.
 */
export function allowedMethods({ server, raw }: FastifyRequest): string[] {
  const url = raw.url ?? '/';
  const allowed = server.supportedMethods.filter((method) => {
    const route: { searchParams?: object } | null = server.findRoute({ method, url });
    // An address with a part that is too long finds the router's own refusal instead of a route: that one has no
    // search parameters, not even empty ones.
    return route?.searchParams !== undefined;
  });
  // A route may match and then find nothing, such as a file of the documentation: the method was not the reason.
  return allowed.includes(raw.method ?? '') ? [] : allowed;
}
