import { type MakingReading } from '../source-statement.js';

/** Which vocabulary a reservation was written in. `iptc`, `exif`: words for people in the rights fields of IPTC and XMP, and of EXIF. */
export const RESERVATION_ORIGINS = [
  'cawg.training-mining',
  'c2pa.training-mining',
  'plus.data-mining',
  'tdmrep',
  'iptc',
  'exif',
] as const;
export type ReservationOrigin = (typeof RESERVATION_ORIGINS)[number];

/** The acts that CAWG Training and Data Mining 1.1 tells apart. */
export const RESERVED_ACTS = [
  'ai-inference',
  'generative-ai-training',
  'ai-training',
  'data-mining',
] as const;
export type ReservedAct = (typeof RESERVED_ACTS)[number];

/** What a file says about one act. Nothing here judges: the rules of the license module do. */
export interface FoundReservation {
  readonly origin: ReservationOrigin;
  readonly act: ReservedAct;
  readonly use: 'allowed' | 'notAllowed' | 'constrained';
  /** The condition of `constrained`, as far as it is text. */
  readonly constraint: string | null;
  /** It stands in a manifest that does not validate. It is respected all the same: the stricter reading is the safe one. */
  readonly manifestBroken?: true;
}

/** Where in a file reservations can stand. */
export const RESERVATION_PLACES = ['c2pa', 'xmp', 'iptc-iim', 'exif'] as const;
export type ReservationPlace = (typeof RESERVATION_PLACES)[number];

export interface ReservationReading {
  /** The strictest statement for each vocabulary and act. */
  readonly found: readonly FoundReservation[];
  /** Places that are there and could not be read to their end. What stands in them is unknown, never "nothing". */
  readonly unread: readonly ReservationPlace[];
}

/** Everything that is read in a file when it comes in. */
export interface FileReading extends ReservationReading, MakingReading {}

/** Reads in a separate process: what it parses was written by strangers. */
export interface ReservationReader {
  /** @throws ColophonError as `MediaVerifier.verify` does */
  readReservations(file: {
    readonly path: string;
    readonly mediaType: string;
    readonly mayBeLarge?: true;
  }): Promise<FileReading>;
}

const MAX_CONSTRAINT_CHARACTERS = 500;

/** Text of a file, made fit to be shown and stored; null when nothing is left of it. */
export function constraintText(text: string | undefined): string | null {
  const clean = (text ?? '').replace(/[\p{C}\p{Z}]+/gu, ' ').trim();
  return clean === '' ? null : [...clean].slice(0, MAX_CONSTRAINT_CHARACTERS).join('').trim();
}

/** "In the absence of additional information, `constrained` shall be treated as equivalent to `notAllowed`" (CAWG 1.1). */
function strictness({ use, constraint }: FoundReservation): number {
  if (use === 'notAllowed' || (use === 'constrained' && constraint === null)) return 2;
  return use === 'constrained' ? 1 : 0;
}

/**
 * One statement for each vocabulary and act: where two contradict each other, the stricter one. Conditions are kept
 * together, because a person must read all of them. A statement in an intact manifest wins over an equal one in a
 * broken one.
 */
export function strictest(statements: Iterable<FoundReservation>): FoundReservation[] {
  const kept = new Map<string, FoundReservation>();
  for (const statement of statements) {
    const key = `${statement.origin} ${statement.act}`;
    const other = kept.get(key);
    kept.set(key, other === undefined ? statement : stricterOf(other, statement));
  }
  return [...kept.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, statement]) => statement);
}

function stricterOf(a: FoundReservation, b: FoundReservation): FoundReservation {
  const difference = strictness(a) - strictness(b);
  if (difference !== 0) return difference > 0 ? a : b;
  const [first, second] = a.manifestBroken === true ? [b, a] : [a, b];
  const texts = [...new Set([first.constraint, second.constraint])].filter((text) => text !== null);
  return { ...first, constraint: constraintText(texts.join('; ')) };
}
