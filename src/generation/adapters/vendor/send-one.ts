import { type OutboundPolicy } from '../../../outbound/guarded-fetch.js';
import { guardedFetchFunction } from '../../../outbound/guarded-fetch-function.js';
import { OutboundError } from '../../../outbound/outbound-error.js';

export interface CallLimits {
  readonly deadlineMs: number;
  readonly maxResponseBytes: number;
  readonly signal: AbortSignal;
}

/** An answer other than 2xx. */
export class VendorHttpError extends Error {
  /** Private, so that no logger writes it out: vendors repeat prompts in their errors. */
  readonly #body: unknown;

  constructor(
    readonly vendor: string,
    readonly status: number,
    body: unknown,
  ) {
    super(`${vendor} answered with status ${status}`);
    this.name = 'VendorHttpError';
    this.#body = body;
  }

  /** The parsed JSON of the answer, `undefined` when it was something else. */
  get body(): unknown {
    return this.#body;
  }
}

/** A 2xx answer that is not what the protocol says. */
export class UnreadableAnswerError extends Error {
  constructor(vendor: string, options?: { cause?: unknown }) {
    super(`${vendor} gave an answer that cannot be read`, options);
    this.name = 'UnreadableAnswerError';
  }
}

export interface VendorAnswer {
  /** As the client parsed it. Hostile until validated. */
  readonly data: unknown;
  readonly headers: Headers;
}

/**
 * Sends exactly one HTTP request through a vendor's official client.
 *
 * Clients repeat requests by themselves after some answers and after transport errors, and not all of them can be told
 * not to. So the fetch that is given to them lets one request through; every further one, and every failure, is an
 * error in the form of the caller's own cancellation, which no client retries. The real failure is kept aside and thrown
 * to our caller.
 * @throws VendorHttpError, UnreadableAnswerError, OutboundError
 */
export async function sendOne(
  vendor: string,
  outbound: OutboundPolicy,
  limits: CallLimits,
  send: (fetchOnce: typeof fetch) => Promise<unknown>,
): Promise<VendorAnswer> {
  const guarded = guardedFetchFunction({ ...outbound, ...limits });
  let headers: Headers | undefined;
  let failure: unknown;
  let sent = false;
  const fetchOnce: typeof fetch = async (input, init) => {
    if (sent) throw notRetryable();
    sent = true;
    try {
      const response = await guarded(input, init);
      headers = response.headers;
      if (!response.ok) throw new VendorHttpError(vendor, response.status, await jsonOrUndefined(response));
      return response;
    } catch (error) {
      failure = error;
      throw notRetryable();
    }
  };
  try {
    // OpenAI's client else asks for `data:,` first, to learn what a Response is: that would be the one request.
    const data = await send(Object.assign(fetchOnce, { Response }));
    if (failure !== undefined) throw failure as Error;
    if (headers === undefined) throw new Error(`the client of ${vendor} sent nothing`);
    return { data, headers };
  } catch (error) {
    if (failure !== undefined) throw failure as Error;
    if (headers !== undefined) throw new UnreadableAnswerError(vendor, { cause: error });
    throw new OutboundError('upstream_error', 'the request could not be made', {
      mayHaveBeenSent: sent,
      cause: error,
    });
  }
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
