import { type Services } from './services.js';

/**
 * Stands in for the services while the API is described: controllers are constructed, none of their methods runs.
 * Anything that is touched all the same fails loudly.
 */
export function servicesForDocumentation(): Services {
  const untouchable: unknown = new Proxy(
    {},
    {
      get: (_target, name) => {
        if (typeof name === 'symbol' || name === 'then' || /^on(Module|Application)|^before/.test(name))
          return undefined;
        return undefined;
      },
    },
  );
  return new Proxy({}, { get: () => untouchable }) as Services;
}
