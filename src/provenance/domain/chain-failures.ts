import { type ChainNode, type ValidationStatus } from './media-verifier.port.js';

/** Failures which say "we do not know this signer", not "this was changed". */
const UNTRUSTED_CODES: ReadonlySet<string> = new Set([
  'signingCredential.untrusted',
  'timeStamp.untrusted',
  'cawg.x509.signing_credential.untrusted',
  'cawg.ica.untrusted_issuer',
]);

export function isIntegrityFailure(status: ValidationStatus): boolean {
  return status.outcome === 'failure' && !UNTRUSTED_CODES.has(status.code);
}

/**
 * The ingredients, at any depth, whose own validation failed. A failure that was recorded when the ingredient was
 * taken in does not make the asset invalid, so a reader that only looks at the asset never sees it.
 */
export function brokenIngredients(chain: ChainNode): ChainNode[] {
  return chain.ingredients.flatMap((node) => [
    ...(node.failures.some(isIntegrityFailure) ? [node] : []),
    ...brokenIngredients(node),
  ]);
}
