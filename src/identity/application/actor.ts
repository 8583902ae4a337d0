import { type Principal } from '../domain/principal.js';

/** How a principal is named in the log: by key id, never by name (promise P7). */
export function actorOf(principal: Principal): { kind: 'api_key'; id: string } {
  return { kind: 'api_key', id: principal.keyId };
}

export const SYSTEM_ACTOR = { kind: 'system', id: 'colophon' } as const;
