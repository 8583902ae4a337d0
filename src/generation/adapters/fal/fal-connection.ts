import { createFalClient, type FalClient } from '@fal-ai/client';
import { type OutboundPolicy } from '../../../outbound/guarded-fetch.js';
import { type CallLimits, sendOne, type VendorAnswer } from '../vendor/send-one.js';

/** How fal is reached and in whose name. */
export interface FalConnection {
  /** `key_id:key_secret` or a single key, as fal issues it. */
  readonly credentials: string;
  readonly outbound: OutboundPolicy;
  /** Another origin that speaks fal's protocol; without trailing slash. See {@link falUrl}. */
  readonly baseUrlOverride?: string;
}

const FAL_HOSTS: Readonly<Record<string, string>> = {
  'https://queue.fal.run': 'queue',
  'https://fal.run': 'run',
  'https://rest.fal.ai': 'rest',
};

/**
 * The client hard-codes fal's hosts. With an override each host becomes a path on the other origin:
 * `https://queue.fal.run/x` -> `<base>/queue/x`, likewise `/run/x` and `/rest/x`.
 */
export function falUrl(url: string, baseUrlOverride: string | undefined): string {
  if (baseUrlOverride === undefined) return url;
  const { origin } = new URL(url);
  const folder = FAL_HOSTS[origin];
  if (folder === undefined) throw new Error('the fal client addressed an unexpected host');
  return `${baseUrlOverride.replace(/\/+$/, '')}/${folder}${url.slice(origin.length)}`;
}

/**
 * Sends exactly one HTTP request through the official client. Its own repetitions of submits (3 times after 429, 502,
 * 503, 504 and transport errors) cannot be switched off: the queue calls override the configured number.
 * @throws VendorHttpError, UnreadableAnswerError, OutboundError
 */
export function sendOnce(
  connection: FalConnection,
  limits: CallLimits,
  send: (client: FalClient) => Promise<unknown>,
): Promise<VendorAnswer> {
  return sendOne('fal', connection.outbound, limits, (fetchOnce) => send(clientFor(connection, fetchOnce)));
}

function clientFor(connection: FalConnection, fetchOnce: typeof fetch): FalClient {
  return createFalClient({
    credentials: connection.credentials,
    fetch: fetchOnce,
    requestMiddleware: (request) =>
      Promise.resolve({ ...request, url: falUrl(request.url, connection.baseUrlOverride) }),
  });
}
