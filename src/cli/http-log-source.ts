import { setTimeout as delay } from 'node:timers/promises';
import { type LogSource } from '../audit/verify/log-report.js';
import { Unusable } from './exit-code.js';
import { maxLogFileBytes } from './log-file-limits.js';
import { printable } from './printable.js';

export interface HttpLogOptions {
  /** Sent as bearer token: entry bundles of a Colophon server are for its own organization. Other logs need none. */
  readonly apiKey?: string | undefined;
  readonly timeoutMs?: number;
  /** Before the second attempt; doubled for each further one. */
  readonly retryDelayMs?: number;
}

/** For one file, from the request to the last byte. */
const REQUEST_TIMEOUT_MS = 30_000;
const RETRY_DELAY_MS = 250;
const MAX_ATTEMPTS = 5;
/** A server may ask for patience, not for an afternoon. */
const MAX_RETRY_AFTER_MS = 60_000;

/** Worth another attempt: the answer may be another one in a moment. */
class Passing extends Unusable {
  constructor(
    message: string,
    readonly retryAfterMs: number | undefined,
  ) {
    super(message);
  }
}

/**
 * The files of a log on a web server: a Colophon server or any static host. Answers are read up to the largest honest
 * size and one byte more, redirects are not followed (the address was chosen by a person, and carries a key), and
 * overload and broken connections are tried again.
 */
export function httpLogSource(base: string, options: HttpLogOptions = {}): LogSource {
  const prefix = base.endsWith('/') ? base : `${base}/`;
  const { apiKey, timeoutMs = REQUEST_TIMEOUT_MS, retryDelayMs = RETRY_DELAY_MS } = options;
  const headers: Record<string, string> = apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` };
  return {
    async read(path) {
      const url = new URL(path, prefix);
      for (let attempt = 1; ; attempt++) {
        try {
          return await readOnce(url, headers, maxLogFileBytes(path), timeoutMs);
        } catch (error) {
          if (!(error instanceof Passing) || attempt === MAX_ATTEMPTS) throw error;
          await delay(error.retryAfterMs ?? retryDelayMs * 2 ** (attempt - 1));
        }
      }
    },
  };
}

async function readOnce(
  url: URL,
  headers: Record<string, string>,
  limit: number,
  timeoutMs: number,
): Promise<Uint8Array | undefined> {
  const signal = AbortSignal.timeout(timeoutMs);
  let response: Response;
  try {
    response = await fetch(url, { headers, signal, redirect: 'manual' });
  } catch (error) {
    throw new Passing(`${url.href}: ${reasonOf(error)}`, undefined);
  }
  if (response.ok) {
    try {
      return await readBody(response, limit);
    } catch (error) {
      throw new Passing(`${url.href}: the answer broke off (${reasonOf(error)})`, undefined);
    }
  }
  await response.body?.cancel();
  if (response.status === 404 || response.status === 410) return undefined;
  throw refusal(url, response);
}

function refusal(url: URL, { status, headers }: Response): Unusable {
  if (status >= 300 && status < 400) {
    const target = printable(headers.get('location') ?? 'somewhere else');
    return new Unusable(`${url.href} redirects to ${target}; give the address where the log itself lies`);
  }
  if (status === 401 || status === 403)
    return new Unusable(
      `${url.href} answered with status ${status}: entries of a Colophon server are for its own organization, ` +
        'set COLOPHON_API_KEY to a key of it',
    );
  const message = `${url.href} answered with status ${status}`;
  return status === 429 || status >= 500
    ? new Passing(message, retryAfterMs(headers.get('retry-after')))
    : new Unusable(message);
}

/** Seconds or a date (RFC 9110, section 10.2.3). */
function retryAfterMs(header: string | null): number | undefined {
  if (header === null) return undefined;
  const ms = /^\d{1,9}$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), MAX_RETRY_AFTER_MS);
}

/** Reads a body up to one byte beyond the limit, which is enough to call it malformed. */
async function readBody(response: Response, limit: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let total = 0;
  const body = (response.body ?? []) as AsyncIterable<Uint8Array>;
  for await (const chunk of body) {
    chunks.push(chunk);
    total += chunk.length;
    // Leaving the loop cancels the rest of the transfer.
    if (total > limit) break;
  }
  return Buffer.concat(chunks).subarray(0, limit + 1);
}

/** "fetch failed" alone helps nobody. */
function reasonOf(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('message' in error)) return String(error);
  const { message, cause } = error as { message: string; cause?: { message?: string } | undefined };
  return cause?.message === undefined ? message : `${message}: ${cause.message}`;
}
