import { type AssetObligation } from './asset-obligation.js';
import { bindsIn } from './due-duties.js';
import { type MarkingDuty } from './marking-duty.js';
import { countryOf } from './subdivisions.js';

/** Days of a file, `YYYY-MM-DD`, UTC. */
export interface DaysOfFile {
  readonly signedOn: string;
  /** Null as long as it is not released: what is due by publishing is not due before. */
  readonly releasedOn: string | null;
}

/**
 * The day on which an obligation falls due; null where none is known: nobody published the file, handed on the model, or
 * read since when the law is in force. Unknown is not "never": what has no day is open all the same.
 *
 * - what must stop: the last day on which the work may be shown
 * - what is due by publishing: the day of the release, or the first day of the law if that is later
 * - what is owed always: the day of the signing, or the first day of the law if that is later
 */
export function dueOn(
  { due, until, source, inForceOn }: Pick<AssetObligation, 'due' | 'until' | 'source' | 'inForceOn'>,
  { signedOn, releasedOn }: DaysOfFile,
): string | null {
  if (until !== undefined) return until;
  if (due === 'on-distribution-of-model' || (source === 'law' && inForceOn === null)) return null;
  const from = due === 'always' ? signedOn : releasedOn;
  if (from === null) return null;
  return inForceOn !== null && inForceOn > from ? inForceOn : from;
}

/** Open after the day on which it fell due. */
export function isOverdue(state: string, due: string | null, today: string): boolean {
  return state === 'open' && due !== null && due < today;
}

/**
 * Whether an obligation is owed in a market: a license binds everywhere; a law where it counts and the work is shown. What
 * nobody knows is not left out: a law of a calendar that this release does not have, or a work of which nobody said where
 * it is shown.
 * @param market a country or a part of one, ISO 3166-1 or 3166-2
 */
export function isOwedIn(
  market: string,
  { source, key, shownIn }: Pick<AssetObligation, 'source' | 'key' | 'shownIn'>,
  duties: readonly MarkingDuty[],
): boolean {
  if (source === 'license') return true;
  const duty = duties.find(({ id }) => key === `law:${id}`);
  if (duty !== undefined && bindsIn(duty, market) === 'no') return false;
  return shownIn.length === 0 || shownIn.some((place) => overlap(place, market));
}

/** A country contains its parts. */
function overlap(a: string, b: string): boolean {
  const isCountry = a === countryOf(a) || b === countryOf(b);
  return a === b || (isCountry && countryOf(a) === countryOf(b));
}
