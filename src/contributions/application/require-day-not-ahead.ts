import { ColophonError } from '../../shared/errors.js';

const DAY_MS = 86_400_000;

/**
 * What is said to have happened cannot lie ahead. A day is allowed, because the sender's may have begun before ours.
 * @param day `YYYY-MM-DD`
 * @throws ColophonError `invalid_request`
 */
export function requireDayNotAhead(field: string, day: string, now: Date): void {
  if (Date.parse(day) <= now.getTime() + DAY_MS) return;
  const message = 'lies in the future';
  throw new ColophonError('invalid_request', `${field} ${message}.`, {
    extensions: { errors: [{ path: field, message }] },
  });
}
