import { ColophonError } from '../shared/errors.js';

export type OutboundErrorCode = 'url_blocked' | 'upstream_error' | 'upstream_timeout' | 'upstream_invalid';

/**
 * Why an outbound request did not give a usable answer. Never holds the URL, which may carry a token.
 *
 * `mayHaveBeenSent` is false only when it is certain that no byte of the request left this machine: the address
 * was refused, or no connection came about. Whoever pays per request decides by it whether the outcome is known.
 */
export class OutboundError extends ColophonError {
  readonly mayHaveBeenSent: boolean;

  constructor(
    code: OutboundErrorCode,
    detail: string,
    options: { readonly mayHaveBeenSent: boolean; readonly cause?: unknown },
  ) {
    super(code, detail, { cause: options.cause });
    this.name = 'OutboundError';
    this.mayHaveBeenSent = options.mayHaveBeenSent;
  }
}

export function urlBlocked(detail: string): OutboundError {
  return new OutboundError('url_blocked', detail, { mayHaveBeenSent: false });
}
