import { ColophonError } from './errors.js';
import { systemErrorCode } from './system-error.js';

const NO_ROOM: Readonly<Record<string, string>> = {
  ENOSPC: 'A disk of this service is full',
  EDQUOT: 'The disk quota of this service is used up',
  EROFS: 'A disk of this service is read-only',
};
const MAX_CAUSES = 5;

/**
 * What a full or read-only disk is for callers: nothing was kept, and the same request does it when there is room again.
 * `undefined` for any other error.
 */
export function storageFailure(error: unknown): ColophonError | undefined {
  let cause = error;
  for (let depth = 0; depth < MAX_CAUSES && cause !== undefined; depth++) {
    const what = NO_ROOM[systemErrorCode(cause) ?? ''];
    if (what !== undefined)
      return new ColophonError(
        'storage_unavailable',
        `${what}, so nothing was kept. Send the request again when the operator has made room.`,
        { cause: error },
      );
    cause = typeof cause === 'object' && cause !== null && 'cause' in cause ? cause.cause : undefined;
  }
  return undefined;
}
