import { guardedFetch, type OutboundPolicy } from './guarded-fetch.js';
import { readBody } from './response-limits.js';

export interface FetchFunctionOptions extends OutboundPolicy {
  readonly maxResponseBytes: number;
  readonly deadlineMs: number;
  /** Besides the signal of each call. */
  readonly signal?: AbortSignal;
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE'] as const;
/** Statuses that the Fetch standard allows no body for. */
const WITHOUT_BODY = new Set([204, 205, 304]);

/**
 * The guarded fetch in the shape of the WHATWG `fetch`, for official clients that take one as an option.
 *
 * Answers are read whole before they are handed over, so it is meant for JSON, not for media; request bodies may
 * be text, bytes, a Blob or a form. Failures are thrown as OutboundError, not as TypeError.
 */
export function guardedFetchFunction(options: FetchFunctionOptions): typeof fetch {
  return async (input, init) => {
    if (input instanceof Request) throw new TypeError('give the address and the options separately');
    const method = METHODS.find((known) => known === (init?.method ?? 'GET').toUpperCase());
    if (method === undefined) throw new TypeError('the method is not supported');
    const headers = new Headers(init?.headers);
    const body = await bodyOf(init?.body, headers);
    const signals = [options.signal, init?.signal].filter((signal) => signal instanceof AbortSignal);
    const response = await guardedFetch({
      ...options,
      url: String(input),
      method,
      headers: Object.fromEntries(headers),
      ...(body === undefined ? {} : { body }),
      signal: AbortSignal.any(signals),
    });
    const bytes = await readBody(response.body);
    return new Response(WITHOUT_BODY.has(response.status) ? null : new Uint8Array(bytes), {
      status: response.status,
      headers: response.headers,
    });
  };
}

/** A form gets its boundary here, and says so in the headers. */
async function bodyOf(body: unknown, headers: Headers): Promise<string | Uint8Array | undefined> {
  if (body === undefined || body === null) return undefined;
  if (typeof body === 'string' || body instanceof Uint8Array) return body;
  if (body instanceof ArrayBuffer) return new Uint8Array(body);
  if (body instanceof Blob) return new Uint8Array(await body.arrayBuffer());
  if (body instanceof FormData) {
    const encoded = new Response(body);
    headers.set('content-type', encoded.headers.get('content-type') ?? '');
    return new Uint8Array(await encoded.arrayBuffer());
  }
  throw new TypeError('only text, bytes, Blob and form bodies are supported');
}
