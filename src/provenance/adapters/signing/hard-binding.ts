import { decode } from 'cborg';
import { storedManifests } from '../../domain/jumbf.js';
import { encodeInOrder } from '../identity-assertion.js';
import { malformedStore, replaceAssertion } from '../store-completion.js';

const DATA_HASH = 'c2pa.hash.data';

/** Bytes of a file from its beginning, which its hash leaves out. */
export interface Exclusion {
  readonly start: number;
  readonly length: number;
}

/**
 * Binds the active manifest to another file than the library wrote it for: another place of the manifest, another hash
 * (`c2pa.hash.data`, C2PA 2.4 section 18.5). Everything else in the store, and its length, stay as they are; the claim
 * gets the assertion's new hash.
 *
 * It takes nothing for granted: the assertion must be what the library is known to write, and must be the same bytes when
 * it is written by us, before anything in it is changed.
 *
 * @param from what the library left out
 * @param sha256 over the file without `to`
 * @returns a changed copy of the store
 * @throws ColophonError `internal` when the store is not as expected
 */
export function rebound(store: Buffer, from: Exclusion, to: Exclusion, sha256: Buffer): Buffer {
  const bound = Buffer.from(store);
  const manifest = storedManifests(bound).at(-1);
  const place = manifest?.assertions.find(({ label }) => label === DATA_HASH);
  if (manifest?.claim === undefined || place === undefined) throw malformedStore();
  const written = decode(place.content, { useMaps: true }) as unknown;
  if (!(written instanceof Map) || written.get('alg') !== 'sha256') throw malformedStore();
  const assertion = written as Map<unknown, unknown>;
  if (!place.content.equals(encodeInOrder(assertion.set('exclusions', [rangeOf(from)]))))
    throw malformedStore();
  assertion.set('exclusions', [rangeOf(to)]).set('hash', new Uint8Array(sha256));
  replaceAssertion(manifest.claim, place, encodeInOrder(assertion));
  return bound;
}

function rangeOf({ start, length }: Exclusion): Map<string, number> {
  return new Map([
    ['start', start],
    ['length', length],
  ]);
}
