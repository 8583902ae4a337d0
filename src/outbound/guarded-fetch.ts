import { type Socket } from 'node:net';
import { type Readable } from 'node:stream';
import { Client } from 'undici';
import { deadlineSignal, type Deadline } from './deadline.js';
import { OutboundError, urlBlocked } from './outbound-error.js';
import { type AllowedPrivateHosts, type OutboundTarget, parseOutboundUrl } from './outbound-target.js';
import { pinnedConnector } from './pinned-connector.js';
import { ReceivedBytes } from './received-bytes.js';
import { type AddressResolver, resolverFor } from './resolve-name.js';
import { checkResponseHead, limitBody } from './response-limits.js';

/** What an operator decides once for every outbound request. */
export interface OutboundPolicy {
  /** `host:port` pairs on private networks that may be contacted, also by http. Default none. */
  readonly allowedPrivateHosts?: AllowedPrivateHosts;
  /** Replaces the system's resolver. */
  readonly resolver?: AddressResolver;
}

export interface OutboundRequest extends OutboundPolicy {
  readonly url: string;
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';
  readonly headers?: Readonly<Record<string, string>>;
  /** For a stream give `content-length` as well, else it is sent chunked. */
  readonly body?: string | Uint8Array | Readable;
  /** The answer is broken off with upstream_invalid beyond this size. */
  readonly maxResponseBytes: number;
  /** For all of it: resolving, connecting, sending, and reading the body to its end. */
  readonly deadlineMs: number;
  /**
   * How many times another address may be named instead; each is judged as if it had been asked for, and gets none of
   * the headers. For a GET only. Default 0: a redirect is an error.
   */
  readonly maxRedirects?: number;
  readonly signal?: AbortSignal;
}

export interface OutboundResponse {
  /** Any status but a redirect, which is an error. */
  readonly status: number;
  readonly headers: Headers;
  /** Can be read once. Breaking off the iteration closes the connection. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Closes the connection without reading the body. */
  discard(): void;
}

const BROKEN_OFF = 'the answer broke off';
const MOVED: readonly number[] = [301, 302, 303, 307, 308];
const CONNECT_TIMEOUT_MS = 10_000;
/** fal sends up to 16 KiB of headers; beyond this the answer is refused. */
const MAX_RESPONSE_HEADER_BYTES = 32 * 1024;

/**
 * The one way in which this program fetches an outside address. See {@link parseOutboundUrl} for which addresses
 * are tried, {@link pinnedConnector} for how they are pinned. Redirects are errors unless asked for. Nothing is decompressed:
 * `accept-encoding: identity` is sent and an encoded answer refused, so a small answer stays small.
 *
 * Each request has a connection of its own. A pooled one may be closed by the server at the moment of writing,
 * which would leave the outcome of a paid request unknown; and a pool would share checked addresses between
 * callers with different exceptions. The price is one TLS handshake per request.
 * @throws OutboundError url_blocked, upstream_error, upstream_timeout, upstream_invalid
 */
export async function guardedFetch(request: OutboundRequest): Promise<OutboundResponse> {
  const endsAt = performance.now() + request.deadlineMs;
  let next: OutboundRequest = request;
  for (let left = (request.method ?? 'GET') === 'GET' ? (request.maxRedirects ?? 0) : 0; ; left--) {
    const answer = await fetchOnce(next, left > 0);
    if (!('movedTo' in answer)) return answer;
    next = {
      ...request,
      headers: {},
      url: answer.movedTo,
      deadlineMs: Math.max(1, endsAt - performance.now()),
    };
  }
}

/** The address that is named instead. */
interface Moved {
  readonly movedTo: string;
}

async function fetchOnce(request: OutboundRequest, mayMove: boolean): Promise<OutboundResponse | Moved> {
  const target = parseOutboundUrl(request.url, request.allowedPrivateHosts ?? []);
  const deadline = deadlineSignal(request.deadlineMs, request.signal);
  let received: ReceivedBytes | undefined;
  const client = openClient(target, request, (socket) => {
    received = new ReceivedBytes(socket, request.maxResponseBytes, (error) => {
      client.destroy(error, () => undefined);
    });
  });
  const close = (): void => {
    deadline.clear();
    received?.stop();
    // Not awaited: undici waits here for a connection attempt in progress, beyond our deadline.
    client.destroy(null, () => undefined);
  };
  // The signal of a request takes effect only once it is connected; before that the client must go.
  deadline.signal.addEventListener('abort', close, { once: true });
  try {
    return await exchange(client, target, request, {
      deadline,
      close,
      mayMove,
      wasCut: () => received?.wasCut ?? false,
    });
  } catch (error) {
    close();
    throw toOutboundError(error, deadline, received !== undefined);
  }
}

function openClient(
  target: OutboundTarget,
  request: OutboundRequest,
  onConnected: (socket: Socket) => void,
): Client {
  const connectTimeoutMs = Math.min(CONNECT_TIMEOUT_MS, request.deadlineMs);
  return new Client(target.url.origin, {
    connect: pinnedConnector(target, request.resolver ?? resolverFor(target), connectTimeoutMs, onConnected),
    maxHeaderSize: MAX_RESPONSE_HEADER_BYTES,
    // The one deadline governs; undici's own idle timers are off.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
}

interface Exchange {
  readonly deadline: Deadline;
  readonly close: () => void;
  readonly mayMove: boolean;
  readonly wasCut: () => boolean;
}

async function exchange(
  client: Client,
  target: OutboundTarget,
  request: OutboundRequest,
  { deadline, close, mayMove, wasCut }: Exchange,
): Promise<OutboundResponse | Moved> {
  deadline.signal.throwIfAborted();
  const response = await client.request({
    path: `${target.url.pathname}${target.url.search}`,
    method: request.method ?? 'GET',
    headers: { 'user-agent': 'colophon', ...request.headers, 'accept-encoding': 'identity' },
    body: request.body ?? null,
    signal: deadline.signal,
  });
  const headers = toHeaders(response.headers);
  const location = headers.get('location');
  if (mayMove && MOVED.includes(response.statusCode) && location !== null) {
    close();
    if (!URL.canParse(location, target.url.href))
      throw urlBlocked('the address leads to one that is not a URL');
    return { movedTo: new URL(location, target.url.href).href };
  }
  checkResponseHead(response.statusCode, headers, request.maxResponseBytes);
  const body = limitBody(response.body, {
    maxBytes: request.maxResponseBytes,
    toError: (error) => toOutboundError(error, deadline, true, BROKEN_OFF),
    wasCut,
    close,
  });
  return { status: response.statusCode, headers, body, discard: close };
}

/** `upstream_invalid` once an answer has begun (it is unusable), `upstream_error` when none came. */
function toOutboundError(
  error: unknown,
  deadline: Deadline,
  connected: boolean,
  brokenAnswer?: string,
): OutboundError {
  if (error instanceof OutboundError) return error;
  const options = { mayHaveBeenSent: connected, cause: error };
  if (deadline.expired()) {
    return new OutboundError('upstream_timeout', 'no complete answer within the time limit', options);
  }
  if (deadline.signal.aborted)
    return new OutboundError('upstream_timeout', 'the request was canceled', options);
  if (brokenAnswer !== undefined) return new OutboundError('upstream_invalid', brokenAnswer, options);
  const detail = connected ? 'the connection was lost' : 'no connection could be made';
  return new OutboundError('upstream_error', detail, options);
}

function toHeaders(raw: Record<string, string | string[] | undefined>): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(raw)) {
    for (const item of Array.isArray(value) ? value : [value ?? '']) headers.append(name, item);
  }
  return headers;
}
