import { sha256Hex } from '../../shared/bytes.js';
import { canonicalJson, type JsonValue } from '../../shared/canonical-json.js';
/** What a person can say of an obligation, and so its state. */
type Outcome = 'done' | 'waived' | 'not_applicable' | 'open';

/** The part of an obligation that says what is owed; a verifier reads it out of a report that somebody hands over. */
export interface ReadObligation {
  readonly v: number;
  readonly source: string;
  readonly key: string;
  readonly kind: string;
  readonly text: string;
  readonly where: string;
  readonly owedBy: string;
  readonly who: string;
  readonly due: string;
  readonly listingId: string | null;
  readonly citation: { readonly title: string; readonly section: string | null } | null;
  readonly applies: string;
  readonly findOut: readonly string[];
  readonly inForceOn: string | null;
  readonly transitionUntil: string | null;
  readonly exemptions: readonly string[];
  readonly systemProof: { readonly extent: string } | null;
}

/**
 * What is demanded, of whom, where and when. `until` is not among them: it stands in the text, but where nobody accepts
 * what a decision left open it is the day of the question. Nor is who read the text on which day: a text that is read
 * again, and says the same, demands the same.
 */
const demandOf = ({ v, source, key, kind, text, where, owedBy, who, due, ...rest }: ReadObligation) => ({
  ...{ v, source, key, kind, text, where, owedBy, who, due },
  listingId: rest.listingId,
  clause: rest.citation && { title: rest.citation.title, section: rest.citation.section },
});

/** Whether, and from when, it binds: on that rests a word that it does not apply. */
const conditionsOf = (obligation: ReadObligation) => {
  const { applies, findOut, inForceOn, transitionUntil, exemptions } = obligation;
  return { applies, findOut, inForceOn, transitionUntil, exemptions };
};

const bytesOf = (value: object): Buffer => canonicalJson(value as JsonValue);

export function sameDemand(a: ReadObligation, b: ReadObligation): boolean {
  return bytesOf(demandOf(a)).equals(bytesOf(demandOf(b)));
}

function sameConditions(a: ReadObligation, b: ReadObligation): boolean {
  return bytesOf(conditionsOf(a)).equals(bytesOf(conditionsOf(b)));
}

/**
 * Names one reading of an obligation of one file: it is the same on each day and in each release by which it reads the
 * same, and another as soon as it reads otherwise. So whoever proves it proves these words.
 *
 * A UUID of version 8 (RFC 9562, section 5.8): the first 122 bits of the SHA-256 over the canonical JSON of
 * `{assetId, conditions, demand}`. No UUIDv7 of a listed obligation can be equal to it.
 *
 * @param assetId public id
 */
export function readingId(assetId: string, obligation: ReadObligation): string {
  const named = { assetId, demand: demandOf(obligation), conditions: conditionsOf(obligation) };
  const hex = sha256Hex(bytesOf(named));
  const variant = '89ab'.charAt(Number.parseInt(hex.charAt(VARIANT_AT), 16) % VARIANTS);
  const groups = [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, variant + hex.slice(17, 20)];
  return [...groups, hex.slice(20, 32)].join('-');
}

/** Of the hexadecimal digits. */
const VARIANT_AT = 16;
const VARIANTS = 4;

/** A word of a person, and the words of the obligation of which it was said. */
export interface SaidOfReading {
  readonly outcome: Outcome;
  readonly said: ReadObligation;
}

/**
 * How an obligation stands as it reads today. A word counts for what it was said of: that it is done or waived, as long
 * as the same is demanded; that it does not apply, only as long as it is also the same when and whether it binds. Of
 * several words on the same demand the last one counts.
 *
 * @param words all words on this key, oldest first
 * @param listed where it is listed: what the program proved when it signed counts without a word of anybody
 */
export function stateToday(
  today: ReadObligation,
  words: readonly SaidOfReading[],
  listed: ReadObligation | undefined,
): Outcome {
  const last = words.findLast(({ said }) => sameDemand(said, today));
  if (last !== undefined) {
    const { outcome, said } = last;
    return outcome === 'not_applicable' && !sameConditions(said, today) ? 'open' : outcome;
  }
  const isProvedByProgram = listed?.systemProof?.extent === 'whole' && sameDemand(listed, today);
  return isProvedByProgram ? 'done' : 'open';
}
