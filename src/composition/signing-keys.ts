import { join } from 'node:path';
import { type Configuration } from '../config/configuration.js';
import { type OutboundPolicy } from '../outbound/guarded-fetch.js';
import { certificateRequest } from '../provenance/adapters/keys/certificate-request.js';
import { readCertificateChain } from '../provenance/adapters/keys/certificate-profiles.js';
import { DevelopmentKeys } from '../provenance/adapters/keys/development-keys.js';
import { FileSigningKeys } from '../provenance/adapters/keys/file/file-signing-keys.js';
import { type KeyGenerationRepository } from '../provenance/adapters/keys/key-generations.repository.js';
import { Pkcs11SigningKeys } from '../provenance/adapters/keys/pkcs11/pkcs11-signing-keys.js';
import { type KeyPlace, SigningKeyPlaces } from '../provenance/adapters/keys/signing-key-places.js';
import { VaultSigningKeys } from '../provenance/adapters/keys/vault/vault-signing-keys.js';
import { ChangeKeys } from '../provenance/application/keys/change-keys.js';
import { clock } from './services-options.js';

/** The places of keys that this installation is configured for, and the life of keys on top of them. */
export function composeSigningKeys(configuration: Configuration, generations: KeyGenerationRepository) {
  const { vault, pkcs11 } = configuration.keys;
  const outbound: OutboundPolicy = { allowedPrivateHosts: configuration.outboundAllowedHosts };
  const folder = join(configuration.home, 'keys');
  const token = pkcs11 && new Pkcs11SigningKeys(pkcs11);
  const keys = new SigningKeyPlaces({
    file: new FileSigningKeys(folder),
    awskms: kmsWhenNeeded(configuration, outbound),
    ...(token && { pkcs11: token }),
    ...(vault && { vault: new VaultSigningKeys({ ...vault, outbound }) }),
  });
  const formats = { request: certificateRequest, read: readCertificateChain };
  const changeKeys = new ChangeKeys(generations, keys, formats, clock);
  return {
    signingKeys: keys,
    changeKeys,
    developmentKeys: new DevelopmentKeys(folder, generations, changeKeys, clock),
    closeKeys: () => token?.close(),
  };
}

/** The client of AWS is large, and most installations never load it. */
function kmsWhenNeeded({ keys }: Configuration, outbound: OutboundPolicy): KeyPlace<'awskms'> {
  let place: Promise<KeyPlace<'awskms'>> | undefined;
  return {
    async open(reference) {
      place ??= import('../provenance/adapters/keys/aws-kms/kms-signing-keys.js').then(
        ({ KmsSigningKeys }) => new KmsSigningKeys({ ...keys.awsKms, outbound }),
      );
      return (await place).open(reference);
    },
  };
}
