import { ColophonError } from '../../../shared/errors.js';

/**
 * The one error of all places where keys live. `detail` says what is wrong and what to do about it; it is shown to
 * callers, so it names no host, account, path or secret. What the service said goes to `cause`, for operators.
 */
export function signerUnavailable(detail: string, cause?: unknown): ColophonError {
  return new ColophonError('signer_unavailable', detail, cause === undefined ? {} : { cause });
}
