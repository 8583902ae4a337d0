import { ColophonError } from '../../shared/errors.js';
import { storedManifests, type StoredAssertion } from '../domain/jumbf.js';
import { assertionHash, IDENTITY_LABEL, type IdentityAssertion } from './identity-assertion.js';

/**
 * Finishes a manifest store which the library wrote with placeholders: puts the identity assertions in, their hashes
 * into the claim, then signs the claim. No part changes its length, so the asset's hash, which leaves the store out, and
 * every offset in the file stay as they are.
 *
 * @param sign makes the COSE_Sign1 of a claim, exactly as long as the placeholder of the signature
 * @returns a changed copy of the store, and the claim that was signed
 */
export async function completeStore(
  written: Buffer,
  identities: readonly IdentityAssertion[],
  sign: (claim: Uint8Array) => Promise<Uint8Array>,
): Promise<{ store: Buffer; claim: Buffer }> {
  const store = Buffer.from(written);
  const manifest = storedManifests(store).at(-1);
  if (manifest?.claim === undefined || manifest.signature === undefined) throw malformedStore();
  const { claim, signature } = manifest;
  const places = manifest.assertions.filter(({ label }) => IDENTITY_LABEL.test(label));
  if (places.length !== identities.length) throw malformedStore();
  const encoded = await Promise.all(identities.map((identity) => identity.encode(manifest)));
  for (const [i, place] of places.entries()) replaceAssertion(claim, place, encoded[i] ?? new Uint8Array(0));
  fill(signature, await sign(claim));
  return { store, claim: Buffer.from(claim) };
}

/**
 * Another content of the same length for an assertion, and its hash in the claim. The old hash stands there once: two
 * placeholders differ in the label inside their description box.
 */
export function replaceAssertion(claim: Buffer, place: StoredAssertion, content: Uint8Array): void {
  const at = claim.indexOf(assertionHash(place.hashed));
  if (at < 0) throw malformedStore();
  fill(place.content, content);
  claim.set(assertionHash(place.hashed), at);
}

function fill(place: Buffer, bytes: Uint8Array): void {
  if (bytes.length !== place.length) throw malformedStore();
  place.set(bytes);
}

export function malformedStore(): ColophonError {
  return new ColophonError('internal', 'The library did not write the manifest store as it was asked to.');
}
