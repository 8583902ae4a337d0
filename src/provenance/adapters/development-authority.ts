import 'reflect-metadata';
import { createPrivateKey, randomBytes, webcrypto } from 'node:crypto';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PublicKey,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
  type JsonName,
} from '@peculiar/x509';
import { type Clock } from '../../shared/clock.js';
import { DEVELOPMENT_WARNING } from '../domain/development-certificate.js';
import { type KeyPurpose } from '../domain/key-generation.js';

/** The four PEM texts of a fresh development authority. Private keys are PKCS#8. */
export interface DevelopmentAuthority {
  readonly caCertificatePem: string;
  readonly caKeyPem: string;
  /** Leaf first, then the CA. */
  readonly chainPem: string;
  readonly keyPem: string;
}

/** `c2pa-kp-claimSigning` of the C2PA certificate profile; readers also want one of the purposes known from X.509. */
export const CLAIM_SIGNING = '1.3.6.1.4.1.62558.2.1';
/** id-kp-documentSigning (RFC 9336). */
export const DOCUMENT_SIGNING = '1.3.6.1.5.5.7.3.36';

const PURPOSES: Readonly<Record<KeyPurpose, { readonly name: string; readonly usages: string[] }>> = {
  claim: { name: 'Colophon claim signer', usages: [CLAIM_SIGNING, DOCUMENT_SIGNING] },
  report: { name: 'Colophon report signer', usages: [DOCUMENT_SIGNING] },
};

const ECDSA_P256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY_MS = 86_400_000;
const CA_VALIDITY_DAYS = 3650;
/** The profile allows 366 days at assurance level 1. */
const LEAF_VALIDITY_DAYS = 365;
/** Two machines whose clocks differ a little still agree that the certificate has begun. */
const BACKDATE_MS = 300_000;

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
  const leaf = await createLeafCertificate('claim', leafKeys.publicKey, ca, caKeys.privateKey, begin);
  return {
    caCertificatePem: `${ca.toString('pem')}\n`,
    caKeyPem: await privateKeyPem(caKeys.privateKey),
    chainPem: `${leaf.toString('pem')}\n${ca.toString('pem')}\n`,
    keyPem: await privateKeyPem(leafKeys.privateKey),
  };
}

/**
 * One more certificate of a development authority, for a key that lies elsewhere.
 * @returns PEM: the leaf, then the authority
 */
export async function issueDevelopmentCertificate(options: {
  readonly purpose: KeyPurpose;
  /** DER of the SubjectPublicKeyInfo. */
  readonly publicKey: Uint8Array;
  readonly caCertificatePem: string;
  readonly caKeyPem: string;
  readonly clock: Clock;
}): Promise<string> {
  const { purpose, caCertificatePem, caKeyPem, clock } = options;
  const ca = new X509Certificate(caCertificatePem);
  const caKey = await webcrypto.subtle.importKey(
    'pkcs8',
    createPrivateKey(caKeyPem).export({ type: 'pkcs8', format: 'der' }),
    ECDSA_P256,
    false,
    ['sign'],
  );
  const publicKey = new PublicKey(Uint8Array.from(options.publicKey));
  const begin = clock.now().getTime() - BACKDATE_MS;
  const leaf = await createLeafCertificate(purpose, publicKey, ca, caKey, begin);
  return `${leaf.toString('pem')}\n${ca.toString('pem')}\n`;
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
  purpose: KeyPurpose,
  publicKey: CryptoKey | PublicKey,
  ca: X509Certificate,
  caKey: CryptoKey,
  begin: number,
): Promise<X509Certificate> {
  return X509CertificateGenerator.create(
    {
      serialNumber: serialNumber(),
      subject: subject(PURPOSES[purpose].name),
      issuer: ca.subjectName,
      notBefore: new Date(begin),
      notAfter: new Date(begin + LEAF_VALIDITY_DAYS * DAY_MS),
      signingAlgorithm: ECDSA_P256,
      publicKey,
      signingKey: caKey,
      extensions: [
        new BasicConstraintsExtension(false, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature | KeyUsageFlags.nonRepudiation, true),
        new ExtendedKeyUsageExtension([...PURPOSES[purpose].usages], false),
        await SubjectKeyIdentifierExtension.create(publicKey, false, webcrypto),
        await AuthorityKeyIdentifierExtension.create(ca.publicKey, false, webcrypto),
      ],
    },
    webcrypto,
  );
}

function subject(name: string): JsonName {
  return [{ O: [`Colophon (${DEVELOPMENT_WARNING})`] }, { CN: [`${name} (${DEVELOPMENT_WARNING})`] }];
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
