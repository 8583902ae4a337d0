import { canonicalJson, type JsonValue } from '../../shared/canonical-json.js';
import { type AssetObligation, type CalendarRef } from './asset-obligation.js';

/** One that is listed and reads otherwise today. */
export interface ChangedObligation {
  readonly key: string;
  /** Names of the members that are not as they were written down. */
  readonly members: readonly string[];
  readonly today: AssetObligation;
}

/**
 * What is owed for a file today that its list does not say. The list is what was known on the day of signing, and its
 * hash is in the log: it stays as it is. Calendars gain duties and correct them, duties come into force, decisions are
 * made again and waivers end: all of that shows here.
 */
export interface ObligationsToday {
  /** `YYYY-MM-DD`, UTC. */
  readonly asOf: string;
  readonly calendar: CalendarRef;
  readonly added: readonly AssetObligation[];
  readonly changed: readonly ChangedObligation[];
  /** Keys of those that are listed and would not be listed today. They stay owed until somebody says otherwise. */
  readonly gone: readonly string[];
}

/** What says by which data and from whom an obligation came, and what the file proved of it on the day of signing. */
const NOT_COMPARED = ['calendar', 'clearanceId', 'inheritedFrom', 'systemProof', 'placeKnown', 'shownIn'];

export function differencesToday(
  listed: readonly AssetObligation[],
  today: readonly AssetObligation[],
): Pick<ObligationsToday, 'added' | 'changed' | 'gone'> {
  const then = new Map(listed.map((obligation) => [obligation.key, obligation]));
  const now = new Map(today.map((obligation) => [obligation.key, obligation]));
  return {
    added: today.filter(({ key }) => !then.has(key)),
    changed: listed.flatMap((obligation): ChangedObligation[] => {
      const current = now.get(obligation.key);
      const members = current === undefined ? [] : differing(obligation, current);
      return current === undefined || members.length === 0
        ? []
        : [{ key: obligation.key, members, today: current }];
    }),
    gone: listed.flatMap(({ key }) => (now.has(key) ? [] : [key])),
  };
}

function differing(then: AssetObligation, now: AssetObligation): string[] {
  const [old, current] = [then, now].map((one) => new Map(Object.entries(one)));
  const names = new Set([...(old?.keys() ?? []), ...(current?.keys() ?? [])]);
  return [...names]
    .filter((name) => !NOT_COMPARED.includes(name) && !same(old?.get(name), current?.get(name)))
    .sort();
}

function same(a: unknown, b: unknown): boolean {
  return canonicalJson((a ?? null) as JsonValue).equals(canonicalJson((b ?? null) as JsonValue));
}

/** Whether the list says what is owed today. */
export function isUpToDate({ added, changed, gone }: Omit<ObligationsToday, 'asOf' | 'calendar'>): boolean {
  return added.length + changed.length + gone.length === 0;
}
