import { Readable } from 'node:stream';
import { guardedFetch, type OutboundPolicy } from '../../../../outbound/guarded-fetch.js';
import { readBody } from '../../../../outbound/response-limits.js';

/** A signature, a public key with its list of algorithms, or an error: all far smaller. */
const MAX_RESPONSE_BYTES = 65_536;
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE'] as const;

/** What the AWS client hands over; structurally its own HttpRequest. */
interface AwsRequest {
  readonly method: string;
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  readonly path: string;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/**
 * Lets the official client speak through the guarded fetch, like every other outbound request of this program: pinned
 * addresses, no redirects, limits on size and time. How the client finds its credentials is its own affair.
 */
export class GuardedRequestHandler {
  readonly metadata = { handlerProtocol: 'http/1.1' };

  constructor(
    private readonly policy: OutboundPolicy,
    private readonly deadlineMs: number,
  ) {}

  async handle(request: AwsRequest, options: { readonly abortSignal?: unknown } = {}) {
    const method = METHODS.find((known) => known === request.method);
    if (method === undefined || Object.keys(request.query ?? {}).length > 0)
      throw new TypeError('the request is not one of the KMS protocol');
    const port = request.port === undefined ? '' : `:${request.port}`;
    const response = await guardedFetch({
      ...this.policy,
      url: `${request.protocol}//${request.hostname}${port}${request.path}`,
      method,
      headers: request.headers,
      ...(isBody(request.body) && { body: request.body }),
      maxResponseBytes: MAX_RESPONSE_BYTES,
      deadlineMs: this.deadlineMs,
      ...(options.abortSignal instanceof AbortSignal && { signal: options.abortSignal }),
    });
    const body = await readBody(response.body);
    return {
      response: {
        statusCode: response.status,
        headers: Object.fromEntries(response.headers),
        body: Readable.from([body]),
      },
    };
  }

  /** Part of the client's contract; nothing of it applies here. */
  updateHttpClientConfig(): void {
    return;
  }

  httpHandlerConfigs(): Record<string, never> {
    return {};
  }

  destroy(): void {
    return;
  }
}

function isBody(body: unknown): body is string | Uint8Array {
  return typeof body === 'string' || body instanceof Uint8Array;
}
