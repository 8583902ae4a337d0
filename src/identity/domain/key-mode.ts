import { ColophonError } from '../../shared/errors.js';
import { type KeyMode } from './api-key.js';

/**
 * A test key never changes anything live: it may be in a notebook or a build log.
 * @throws ColophonError `wrong_mode`
 */
export function refuseTestKeyOnLive(keyMode: KeyMode, objectMode: KeyMode, what: string): void {
  if (keyMode === 'test' && objectMode === 'live') {
    throw new ColophonError('wrong_mode', `${what} is live; a test key cannot act on it.`);
  }
}
