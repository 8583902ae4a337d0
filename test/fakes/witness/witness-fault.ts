import { z } from 'zod';

/**
 * What the fake does wrong, until it is told otherwise. Without a fault it follows the specification.
 *
 * - `down`: closes each connection at once; `hang`: never answers
 * - `status-500`, `redirect`
 * - `wrong-key`: cosigns with a key that nobody knows; `forged`: under its own key id, but the signature is wrong
 * - `garbage`: bytes that are no text; `html`: a page; `empty`; `truncated`: breaks off within the cosignature
 * - `huge`: 10 MB of lines; `many`: 10,000 valid lines; `hundred`: its own cosignature among 100 lines by other keys
 * - `future`, `past`: a cosignature that is a day off; `no-time`: of 2^60 seconds, which no clock tells
 * - `conflict-loop`: 409 with another smaller size each time; `conflict-same`: 409 with the old size of the request
 * - `conflict-words`: 409 with words instead of a size; `conflict-plain`: 409 with another content type
 * - `claims-larger`: 409 with a size that the log has not reached; `claims-huge`: 409 with 2^63
 * - `refuses`: 422 to everything
 * - `no-monitoring`: does not show its last checkpoint
 */
export const WITNESS_FAULTS = [
  'down',
  'hang',
  'status-500',
  'redirect',
  'wrong-key',
  'forged',
  'garbage',
  'html',
  'empty',
  'truncated',
  'huge',
  'many',
  'hundred',
  'future',
  'past',
  'no-time',
  'conflict-loop',
  'conflict-same',
  'conflict-words',
  'conflict-plain',
  'claims-larger',
  'claims-huge',
  'refuses',
  'no-monitoring',
] as const;

export const WitnessFault = z.enum(WITNESS_FAULTS);
export type WitnessFault = z.infer<typeof WitnessFault>;
