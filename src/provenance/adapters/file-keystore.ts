import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock } from '../../shared/clock.js';
import { ColophonError } from '../../shared/errors.js';
import { type ClaimKey } from '../domain/claim-key.port.js';
import { createDevelopmentAuthority } from './development-authority.js';
import { signInBackground } from './keys/file/file-signing-keys.js';
import {
  exists,
  readSecret,
  refuseIfOpenToOthers,
  syncFolder,
  writeSecret,
} from './keys/file/secret-pem-files.js';

/** The claim key of an embedded instance, with what else its owner wants to show or trust. */
export interface FileKeystore {
  readonly claimKey: ClaimKey;
  /** The CA under which this installation signs: the trust anchor for "signed by this installation". */
  readonly caCertificatePem: string;
  readonly certificateNotAfter: Date;
  /** True when this call created the keys. */
  readonly created: boolean;
}

const FILES = {
  caKey: 'claim-ca-key.pem',
  caCertificate: 'claim-ca.pem',
  key: 'claim-key.pem',
  chain: 'claim-chain.pem',
} as const;

/**
 * Loads the claim key from `folder` (`COLOPHON_HOME/keys`), or creates a development authority there the first time.
 *
 * Files have mode 0600 and the folder 0700; anything wider is refused, because a key that others could read may
 * already have been copied. The folder may hold keys of other parts of the program.
 *
 * @throws ColophonError `signer_unavailable`: unreadable, readable by others, incomplete, not matching, expired.
 */
export async function openFileKeystore(options: {
  readonly folder: string;
  readonly clock: Clock;
}): Promise<FileKeystore> {
  const { folder, clock } = options;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await refuseIfOpenToOthers(folder, 'folder');
  const created = !(await exists(join(folder, FILES.chain)));
  if (created) await createFiles(folder, clock);
  return { ...(await loadFiles(folder, clock)), created };
}

/**
 * Writes the chain last: it is the mark that creation was finished. If we die before, the next start finds no chain
 * and creates everything anew; nothing can have been signed with the half-written key.
 */
async function createFiles(folder: string, clock: Clock): Promise<void> {
  const authority = await createDevelopmentAuthority({ clock });
  await writeSecret(join(folder, FILES.caKey), authority.caKeyPem);
  await writeSecret(join(folder, FILES.caCertificate), authority.caCertificatePem);
  await writeSecret(join(folder, FILES.key), authority.keyPem);
  await writeSecret(join(folder, FILES.chain), authority.chainPem);
  await syncFolder(folder);
}

async function loadFiles(folder: string, clock: Clock): Promise<Omit<FileKeystore, 'created'>> {
  const caCertificatePem = await readSecret(join(folder, FILES.caCertificate));
  const chainPem = await readSecret(join(folder, FILES.chain));
  const keyPem = await readSecret(join(folder, FILES.key));
  await refuseIfOpenToOthers(join(folder, FILES.caKey), 'file');
  const { certificate, key } = parse(chainPem, keyPem);
  const certificateNotAfter = new Date(certificate.validTo);
  if (certificateNotAfter.getTime() <= clock.now().getTime()) {
    throw new ColophonError(
      'signer_unavailable',
      `The claim-signing certificate expired on ${certificateNotAfter.toISOString()}. Install a new one.`,
    );
  }
  return {
    claimKey: createPemClaimKey(chainPem, key),
    caCertificatePem,
    certificateNotAfter,
  };
}

function parse(chainPem: string, keyPem: string): { certificate: X509Certificate; key: KeyObject } {
  let certificate: X509Certificate;
  let key: KeyObject;
  try {
    certificate = new X509Certificate(chainPem);
    key = createPrivateKey(keyPem);
  } catch (cause) {
    throw new ColophonError('signer_unavailable', 'The claim key or its certificate is not readable PEM.', {
      cause,
    });
  }
  if (!certificate.checkPrivateKey(key)) {
    throw new ColophonError('signer_unavailable', 'The claim key does not belong to its certificate.');
  }
  if (key.asymmetricKeyType !== 'ec' || key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') {
    throw new ColophonError('signer_unavailable', 'The claim key must be an EC key on P-256 (ES256).');
  }
  return { certificate, key };
}

function createPemClaimKey(certificateChainPem: string, key: KeyObject): ClaimKey {
  const { validFrom, validTo } = new X509Certificate(certificateChainPem);
  return {
    algorithm: 'es256',
    certificateChainPem,
    certificateNotBefore: new Date(validFrom),
    certificateNotAfter: new Date(validTo),
    sign: (bytes) => signInBackground('es256', key, bytes),
  };
}
