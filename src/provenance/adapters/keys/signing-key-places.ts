import { createPublicKey } from 'node:crypto';
import { type SigningKey, type SigningKeys } from '../../domain/claim-key.port.js';
import { algorithmOfKey, signatureHolds } from '../../domain/signing-algorithm.js';
import { type KeyReference, parseKeyReference } from './key-reference.js';
import { signerUnavailable } from './signer-unavailable.js';

type Scheme = KeyReference['scheme'];
export type OfScheme<S extends Scheme> = Extract<KeyReference, { readonly scheme: S }>;

/** One place where keys live. */
export interface KeyPlace<S extends Scheme> {
  open(reference: OfScheme<S>): Promise<SigningKey>;
}

export type KeyPlaces = { readonly [S in Scheme]?: KeyPlace<S> };

/** What to configure where a place is missing. */
const MISSING: Readonly<Record<Scheme, string>> = {
  file: 'Key files cannot be used here.',
  awskms: 'AWS KMS is not configured: set COLOPHON_AWS_REGION, or name the key by its ARN.',
  pkcs11: 'PKCS#11 is not configured: set COLOPHON_PKCS11_MODULE and COLOPHON_PKCS11_PIN_FILE.',
  vault: 'Vault is not configured: set COLOPHON_VAULT_ADDR and COLOPHON_VAULT_TOKEN_FILE.',
};

/** Finds the place by the URI. Every key that comes out of it has been made to sign once. */
export class SigningKeyPlaces implements SigningKeys {
  constructor(private readonly places: KeyPlaces) {}

  async open(text: string): Promise<SigningKey> {
    return proved(await this.openUnproved(parseKeyReference(text)));
  }

  private openUnproved(reference: KeyReference): Promise<SigningKey> {
    const missing = (): Promise<never> => Promise.reject(signerUnavailable(MISSING[reference.scheme]));
    switch (reference.scheme) {
      case 'file':
        return this.places.file?.open(reference) ?? missing();
      case 'awskms':
        return this.places.awskms?.open(reference) ?? missing();
      case 'pkcs11':
        return this.places.pkcs11?.open(reference) ?? missing();
      case 'vault':
        return this.places.vault?.open(reference) ?? missing();
    }
  }
}

/** Found now, rather than with the first picture: a public key that is shown, and a private one that is another's. */
async function proved(key: SigningKey): Promise<SigningKey> {
  const publicKey = createPublicKey({ key: key.publicKey, format: 'der', type: 'spki' });
  if (algorithmOfKey(publicKey) !== key.algorithm)
    throw signerUnavailable('The key is not of its algorithm.');
  const bytes = Buffer.from('Colophon proves that a key signs.');
  if (signatureHolds(key.algorithm, publicKey, bytes, await key.sign(bytes))) return key;
  throw signerUnavailable('The key gives signatures that do not verify with its own public key.');
}
