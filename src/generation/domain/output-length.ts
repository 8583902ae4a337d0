import { wordsOf } from './name-words.js';
import { membersOf } from './picture-size.js';
import { type PriceProblem } from './price-problem.js';

const LENGTHS = new Set([
  ...['second', 'seconds', 'sec', 'secs', 'duration', 'durations', 'length', 'minutes', 'milliseconds', 'ms'],
  ...['frame', 'frames', 'fps', 'extend', 'extension'],
]);
/** `first_frame_strength`, `max_sequence_length`: a length or a frame of something else. */
const OF_SOMETHING_ELSE = new Set([
  'sequence',
  'strength',
  'first',
  'last',
  'prompt',
  'text',
  'context',
  'focal',
]);

/**
 * A film is paid by the second. Whatever may say how long it is to be, beside the one parameter that the price reads,
 * could make it longer than what is reserved.
 * @returns one problem for each such parameter
 */
export function otherLengths(
  parameters: Readonly<Record<string, unknown>>,
  known: string,
  readBy = known,
): PriceProblem[] {
  return Object.entries(parameters).flatMap(([name, value]) => {
    if (name === known) return [];
    if (mayStateLength(name, value))
      return [
        {
          path: name,
          message: `"${name}" may say how long the output is to be, which the price knows by "${readBy}" only. Leave "${name}" out.`,
        },
      ];
    // Each shot of a list may have a length of its own: `[{ "duration": 5 }, { "duration": 10 }]`.
    return typeof value === 'object' && value !== null
      ? otherLengths(membersOf(name, value), '', readBy)
      : [];
  });
}

export function mayStateLength(name: string, value: unknown): boolean {
  if (value === undefined || value === null || value === false) return false;
  const words = wordsOf(name);
  return words.some((word) => LENGTHS.has(word)) && !words.some((word) => OF_SOMETHING_ELSE.has(word));
}
