import 'reflect-metadata';
import { randomBytes, randomUUID, webcrypto } from 'node:crypto';
import { lstat, mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';
import { type Clock } from '../../shared/clock.js';
import { ColophonError } from '../../shared/errors.js';
import {
  type IdentityIssuer,
  type IssuedCredential,
  type NamedSubject,
} from '../domain/identity-issuer.port.js';

/** id-kp-documentSigning (RFC 9336), the purpose that the trust model of CAWG Identity 1.3 always accepts. */
const DOCUMENT_SIGNING = '1.3.6.1.5.5.7.3.36';
const ECDSA_P256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY_MS = 86_400_000;
const CA_VALIDITY_DAYS = 3650;
const LEAF_VALIDITY_DAYS = 365;
/** Two machines whose clocks differ a little still agree that the certificate has begun. */
const BACKDATE_MS = 300_000;
/** Nobody shall take these certificates for proof of a name: subject and issuer say it wherever a reader shows them. */
const WARNING = 'Development, not verified';
const CA_NAME = 'Colophon identity CA';
/** The upper bound of X.520 for both attributes; longer names would make a certificate that strict readers refuse. */
const MAX_NAME_CHARACTERS = 64;

const FILES = { key: 'identity-ca-key.pem', certificate: 'identity-ca.pem' } as const;

export interface IdentityAuthority extends IdentityIssuer {
  readonly certificatePem: string;
}

/**
 * The development authority for named actors, apart from the one for claims: that a claim generator may sign says
 * nothing about whose name it writes. It proves no name and says so in every certificate.
 *
 * Files have mode 0600; the certificate is written last, so that a folder with one has both.
 *
 * @throws ColophonError `signer_unavailable`
 */
export async function openIdentityAuthority(options: {
  readonly folder: string;
  readonly clock: Clock;
}): Promise<IdentityAuthority> {
  const { folder, clock } = options;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  if (!(await exists(join(folder, FILES.certificate)))) await createFiles(folder, clock);
  const { key, certificate } = await loadFiles(folder);
  return {
    certificatePem: `${certificate.toString('pem')}\n`,
    issue: (subject) => issue(subject, certificate, key, clock),
  };
}

async function createFiles(folder: string, clock: Clock): Promise<void> {
  const keys = await webcrypto.subtle.generateKey(ECDSA_P256, true, ['sign', 'verify']);
  const begin = clock.now().getTime() - BACKDATE_MS;
  const certificate = await X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: serialNumber(),
      name: [{ O: [`Colophon (${WARNING})`] }, { CN: [`${CA_NAME} (${WARNING})`] }],
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
  await writeSecret(join(folder, FILES.key), await privateKeyPem(keys.privateKey));
  await writeSecret(join(folder, FILES.certificate), `${certificate.toString('pem')}\n`);
}

async function issue(
  { organization, person }: NamedSubject,
  ca: X509Certificate,
  caKey: webcrypto.CryptoKey,
  clock: Clock,
): Promise<IssuedCredential> {
  const { publicKey, privateKey } = await webcrypto.subtle.generateKey(ECDSA_P256, true, ['sign', 'verify']);
  const begin = clock.now().getTime() - BACKDATE_MS;
  const leaf = await X509CertificateGenerator.create(
    {
      serialNumber: serialNumber(),
      subject: [{ O: [certifiedName(organization)] }, { CN: [certifiedName(person ?? organization)] }],
      issuer: ca.subjectName,
      notBefore: new Date(begin),
      notAfter: new Date(begin + LEAF_VALIDITY_DAYS * DAY_MS),
      signingAlgorithm: ECDSA_P256,
      publicKey,
      signingKey: caKey,
      extensions: [
        new BasicConstraintsExtension(false, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature | KeyUsageFlags.nonRepudiation, true),
        new ExtendedKeyUsageExtension([DOCUMENT_SIGNING], false),
        await SubjectKeyIdentifierExtension.create(publicKey, false, webcrypto),
        await AuthorityKeyIdentifierExtension.create(ca, false, webcrypto),
      ],
    },
    webcrypto,
  );
  return {
    chainPem: `${leaf.toString('pem')}\n${ca.toString('pem')}\n`,
    keyPem: await privateKeyPem(privateKey),
  };
}

function certifiedName(name: string): string {
  const mark = ` (${WARNING})`;
  const room = MAX_NAME_CHARACTERS - mark.length;
  const characters = [...name.replace(/\p{C}/gu, '')];
  return `${characters.length > room ? `${characters.slice(0, room - 3).join('')}...` : characters.join('')}${mark}`;
}

async function loadFiles(folder: string) {
  try {
    const pem = await readSecret(join(folder, FILES.key));
    const key = await webcrypto.subtle.importKey('pkcs8', PemConverter.decodeFirst(pem), ECDSA_P256, false, [
      'sign',
    ]);
    return { key, certificate: new X509Certificate(await readSecret(join(folder, FILES.certificate))) };
  } catch (cause) {
    throw new ColophonError('signer_unavailable', 'The authority for named actors cannot be used.', {
      cause,
    });
  }
}

async function readSecret(path: string): Promise<string> {
  const status = await lstat(path);
  if (!status.isFile() || (status.mode & 0o077) !== 0) throw new Error(`${path} is not a file of mode 0600`);
  return readFile(path, 'utf8');
}

async function writeSecret(path: string, text: string): Promise<void> {
  const temporary = `${path}.${randomUUID()}.tmp`;
  const handle = await open(temporary, 'wx', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, path);
}

/** 16 random bytes, positive and not starting with zero (RFC 5280 section 4.1.2.2). */
function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString('hex');
}

async function privateKeyPem(key: webcrypto.CryptoKey): Promise<string> {
  const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', key);
  return `${PemConverter.encode(pkcs8, PemConverter.PrivateKeyTag)}\n`;
}

async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}
