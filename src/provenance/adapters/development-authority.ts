import 'reflect-metadata';
import { randomBytes, webcrypto } from 'node:crypto';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
  type JsonName,
  type X509Certificate,
} from '@peculiar/x509';
import { type Clock } from '../../shared/clock.js';

/** The four PEM texts of a fresh development authority. Private keys are PKCS#8. */
export interface DevelopmentAuthority {
  readonly caCertificatePem: string;
  readonly caKeyPem: string;
  /** Leaf first, then the CA. */
  readonly chainPem: string;
  readonly keyPem: string;
}

/** `c2pa-kp-claimSigning` of the C2PA certificate profile; readers also want one of the purposes known from X.509. */
const CLAIM_SIGNING = '1.3.6.1.4.1.62558.2.1';
/** id-kp-documentSigning (RFC 9336). */
const DOCUMENT_SIGNING = '1.3.6.1.5.5.7.3.36';

const ECDSA_P256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY_MS = 86_400_000;
const CA_VALIDITY_DAYS = 3650;
/** The profile allows 366 days at assurance level 1. */
const LEAF_VALIDITY_DAYS = 365;
/** Two machines whose clocks differ a little still agree that the certificate has begun. */
const BACKDATE_MS = 300_000;

/** Nobody shall take these certificates for real ones: subject and issuer say it wherever a reader shows them. */
const WARNING = 'Development, not trusted';

/**
 * A self-signed CA and one claim-signing certificate under it (ES256), by the C2PA claim-signing profile as far as a
 * development CA can fulfill it: no OCSP responder, no assurance level, no record in the conforming products list.
 */
export async function createDevelopmentAuthority(options: {
  readonly clock: Clock;
}): Promise<DevelopmentAuthority> {
  const begin = options.clock.now().getTime() - BACKDATE_MS;
  const caKeys = await webcrypto.subtle.generateKey(ECDSA_P256, true, ['sign', 'verify']);
  const ca = await createCaCertificate(caKeys, begin);
  const leafKeys = await webcrypto.subtle.generateKey(ECDSA_P256, true, ['sign', 'verify']);
  const leaf = await createLeafCertificate(leafKeys.publicKey, ca, caKeys, begin);
  return {
    caCertificatePem: `${ca.toString('pem')}\n`,
    caKeyPem: await privateKeyPem(caKeys.privateKey),
    chainPem: `${leaf.toString('pem')}\n${ca.toString('pem')}\n`,
    keyPem: await privateKeyPem(leafKeys.privateKey),
  };
}

async function createCaCertificate(keys: CryptoKeyPair, begin: number): Promise<X509Certificate> {
  return X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: serialNumber(),
      name: subject('Colophon claim CA'),
      notBefore: new Date(begin),
      notAfter: new Date(begin + CA_VALIDITY_DAYS * DAY_MS),
      signingAlgorithm: ECDSA_P256,
      keys,
      extensions: [
        new BasicConstraintsExtension(true, 0, true),
        new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
        await SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
      ],
    },
    webcrypto,
  );
}

async function createLeafCertificate(
  publicKey: CryptoKey,
  ca: X509Certificate,
  caKeys: CryptoKeyPair,
  begin: number,
): Promise<X509Certificate> {
  return X509CertificateGenerator.create(
    {
      serialNumber: serialNumber(),
      subject: subject('Colophon claim signer'),
      issuer: ca.subjectName,
      notBefore: new Date(begin),
      notAfter: new Date(begin + LEAF_VALIDITY_DAYS * DAY_MS),
      signingAlgorithm: ECDSA_P256,
      publicKey,
      signingKey: caKeys.privateKey,
      extensions: [
        new BasicConstraintsExtension(false, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature | KeyUsageFlags.nonRepudiation, true),
        new ExtendedKeyUsageExtension([CLAIM_SIGNING, DOCUMENT_SIGNING], false),
        await SubjectKeyIdentifierExtension.create(publicKey, false, webcrypto),
        await AuthorityKeyIdentifierExtension.create(caKeys.publicKey, false, webcrypto),
      ],
    },
    webcrypto,
  );
}

function subject(name: string): JsonName {
  return [{ O: [`Colophon (${WARNING})`] }, { CN: [`${name} (${WARNING})`] }];
}

/** 16 random bytes, positive and not starting with zero (RFC 5280 section 4.1.2.2). */
function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString('hex');
}

type CryptoKeyPair = webcrypto.CryptoKeyPair;
type CryptoKey = webcrypto.CryptoKey;

async function privateKeyPem(key: CryptoKey): Promise<string> {
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key)).toString('base64');
  const lines = pkcs8.match(/.{1,64}/g) ?? [];
  return `-----BEGIN PRIVATE KEY-----\n${lines.join('\n')}\n-----END PRIVATE KEY-----\n`;
}
