import { createFalClient, type FalClient } from '@fal-ai/client';
import { type OutboundPolicy } from '../../../outbound/guarded-fetch.js';
import { guardedFetchFunction } from '../../../outbound/guarded-fetch-function.js';
import { OutboundError } from '../../../outbound/outbound-error.js';

/** How fal is reached and in whose name. */
export interface FalConnection {
  /** `key_id:key_secret` or a single key, as fal issues it. */
  readonly credentials: string;
  readonly outbound: OutboundPolicy;
  /** Another origin that speaks fal's protocol; without trailing slash. See {@link falUrl}. */
  readonly baseUrlOverride?: string;
}

export interface CallLimits {
  readonly deadlineMs: number;
  readonly maxResponseBytes: number;
  readonly signal: AbortSignal;
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

/** An answer other than 2xx. */
export class FalHttpError extends Error {
  constructor(
    readonly status: number,
    /** The parsed JSON of the answer, `undefined` when it was something else. */
    readonly body: unknown,
  ) {
    super(`fal answered with status ${status}`);
    this.name = 'FalHttpError';
  }
}

/** A 2xx answer that is not what the protocol says. */
export class FalUnreadableAnswerError extends Error {
  constructor(options?: { cause?: unknown }) {
    super('fal gave an answer that cannot be read', options);
    this.name = 'FalUnreadableAnswerError';
  }
}

export interface FalAnswer {
  /** As the client parsed it: JSON, or text when the server claims another type. Hostile until validated. */
  readonly data: unknown;
  readonly headers: Headers;
}

/**
 * Sends exactly one HTTP request through the official client.
 *
 * The client repeats submits by itself (3 times after 429, 502, 503, 504 and transport errors) and this cannot be
 * switched off: the queue calls override the configured number of retries. So the fetch that is given to it lets one
 * request through and turns every failure into an error that the client takes for the caller's own cancellation,
 * which it never retries. The real failure is kept aside and thrown to our caller.
 * @throws FalHttpError, FalUnreadableAnswerError, OutboundError
 */
export async function sendOnce(
  connection: FalConnection,
  limits: CallLimits,
  send: (client: FalClient) => Promise<unknown>,
): Promise<FalAnswer> {
  const guarded = guardedFetchFunction({ ...connection.outbound, ...limits });
  let headers: Headers | undefined;
  let failure: unknown;
  let sent = false;
  const fetchOnce: typeof fetch = async (input, init) => {
    if (sent) throw notRetryable();
    sent = true;
    try {
      const response = await guarded(input, init);
      headers = response.headers;
      if (!response.ok) throw new FalHttpError(response.status, await jsonOrUndefined(response));
      return response;
    } catch (error) {
      failure = error;
      throw notRetryable();
    }
  };
  try {
    const data = await send(clientFor(connection, fetchOnce));
    if (headers === undefined) throw new Error('the fal client sent nothing');
    return { data, headers };
  } catch (error) {
    if (failure !== undefined) throw failure as Error;
    if (headers !== undefined) throw new FalUnreadableAnswerError({ cause: error });
    throw new OutboundError('upstream_error', 'the request could not be made', {
      mayHaveBeenSent: sent,
      cause: error,
    });
  }
}

function clientFor(connection: FalConnection, fetchOnce: typeof fetch): FalClient {
  return createFalClient({
    credentials: connection.credentials,
    fetch: fetchOnce,
    requestMiddleware: (request) =>
      Promise.resolve({ ...request, url: falUrl(request.url, connection.baseUrlOverride) }),
  });
}

function notRetryable(): Error {
  const error = new Error('one request only');
  error.name = 'AbortError';
  return error;
}

async function jsonOrUndefined(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch {
    return undefined;
  }
}
