import 'reflect-metadata';
import { randomBytes, webcrypto, X509Certificate as NodeCertificate } from 'node:crypto';
import { Builder, CallbackSigner } from '@contentauth/c2pa-node';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsageExtension,
  type JsonName,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectKeyIdentifierExtension,
  type X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';
import { encode } from 'cborg';
import { type MediaFile } from './signing-workshop.js';

const ECDSA_P256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const CLAIM_SIGNING = '1.3.6.1.4.1.62558.2.1';
const DOCUMENT_SIGNING = '1.3.6.1.5.5.7.3.36';
const HOUR_MS = 3_600_000;
const RESERVE_BYTES = 16_384;

/** What it takes to sign: a key and the certificate that goes with it. */
export type Signing = Pick<FreeAuthority, 'chain' | 'key'>;

/** Certificates that say whatever the test wants, e.g. a markup in the name. */
export interface FreeAuthority {
  readonly caPem: string;
  /** DER, leaf first. */
  readonly chain: readonly Uint8Array[];
  readonly key: webcrypto.CryptoKey;
  /** The root, to certify further keys with. */
  readonly root: { readonly certificate: X509Certificate; readonly keys: webcrypto.CryptoKeyPair };
}

export async function createFreeAuthority(
  options: {
    readonly subject?: JsonName;
    readonly notBefore?: Date;
    readonly notAfter?: Date;
    /** Another customer of the same authority. */
    readonly under?: FreeAuthority;
    readonly purposes?: readonly string[];
    /** The leaf may issue certificates. */
    readonly isAuthority?: boolean;
    /** Hexadecimal. */
    readonly serialNumber?: string;
  } = {},
): Promise<FreeAuthority> {
  const {
    subject = [{ O: ['Somebody'] }, { CN: ['Somebody signing'] }],
    notBefore = new Date(Date.now() - 48 * HOUR_MS),
    notAfter = new Date(Date.now() + 48 * HOUR_MS),
  } = options;
  const { under, purposes = [CLAIM_SIGNING, DOCUMENT_SIGNING], isAuthority = false } = options;
  const { serialNumber = under === undefined ? '02' : `1${randomBytes(7).toString('hex')}1` } = options;
  const { certificate: ca, keys: caKeys } = under?.root ?? (await createRoot());
  const keys = await webcrypto.subtle.generateKey(ECDSA_P256, true, ['sign', 'verify']);
  const leaf = await X509CertificateGenerator.create(
    {
      serialNumber,
      subject,
      issuer: ca.subjectName,
      notBefore,
      notAfter,
      signingAlgorithm: ECDSA_P256,
      publicKey: keys.publicKey,
      signingKey: caKeys.privateKey,
      extensions: [
        new BasicConstraintsExtension(isAuthority, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature | KeyUsageFlags.nonRepudiation, true),
        new ExtendedKeyUsageExtension([...purposes], false),
        await SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
        await AuthorityKeyIdentifierExtension.create(caKeys.publicKey, false, webcrypto),
      ],
    },
    webcrypto,
  );
  const root = { certificate: ca, keys: caKeys };
  return { caPem: pem(ca), chain: [new Uint8Array(leaf.rawData)], key: keys.privateKey, root };
}

async function createRoot(): Promise<FreeAuthority['root']> {
  const keys = await webcrypto.subtle.generateKey(ECDSA_P256, true, ['sign', 'verify']);
  const certificate = await X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: '01',
      name: [{ O: ['Somebody'] }, { CN: ['Somebody root'] }],
      notBefore: new Date(Date.now() - 1000 * HOUR_MS),
      notAfter: new Date(Date.now() + 1000 * HOUR_MS),
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
  return { certificate, keys };
}

function pem(certificate: X509Certificate): string {
  return `${certificate.toString('pem')}\n`;
}

/**
 * Signs any manifest definition with any key, by no rule of ours: what a stranger, or a thief, can do.
 * @param stamp makes a time-stamp token (DER) over a message; without it there is none
 * @param shown a certificate that the library accepts, where it would refuse to sign with the one that really signs
 */
export async function signFreely(
  file: MediaFile,
  destinationPath: string,
  by: Signing,
  definition: object,
  stamp?: (message: Uint8Array) => Promise<Uint8Array>,
  shown: Pick<Signing, 'chain'> = by,
): Promise<MediaFile> {
  const builder = Builder.withJson(definition, '{"verify":{"remote_manifest_fetch":false}}');
  builder.setIntent({ create: 'http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia' });
  const signer = freeSigner(shown, (claim) => coseOver(claim, by, stamp));
  await builder.signAsync(signer, { path: file.path, mimeType: file.mediaType }, { path: destinationPath });
  return { ...file, path: destinationPath };
}

/** Signs a file once more, and takes parts out of the manifests that it had. */
export async function redactFreely(
  file: MediaFile,
  destinationPath: string,
  by: Signing,
  redactions: readonly string[],
): Promise<MediaFile> {
  const definition = { title: 'edited', claim_generator_info: [{ name: 'x', version: '1' }] };
  const builder = Builder.withJson(definition, '{"verify":{"remote_manifest_fetch":false}}');
  builder.setIntent('edit');
  for (const uri of redactions) builder.addRedaction(uri, 'c2pa.PII.present');
  const signer = freeSigner(by, (claim) => coseOver(claim, by, undefined));
  await builder.signAsync(signer, { path: file.path, mimeType: file.mediaType }, { path: destinationPath });
  return { ...file, path: destinationPath };
}

function freeSigner(
  shown: Pick<Signing, 'chain'>,
  sign: (claim: Uint8Array) => Promise<Buffer>,
): CallbackSigner {
  return CallbackSigner.newSigner(
    {
      alg: 'es256',
      certs: shown.chain.map((der) => Buffer.from(new NodeCertificate(der).toString())),
      reserveSize: RESERVE_BYTES,
      directCoseHandling: true,
    },
    sign,
  );
}

async function coseOver(
  claim: Uint8Array,
  by: Signing,
  stamp: ((message: Uint8Array) => Promise<Uint8Array>) | undefined,
): Promise<Buffer> {
  const chain = by.chain.length === 1 ? by.chain[0] : by.chain;
  const protectedHeader = encode(
    new Map<number, unknown>([
      [1, -7],
      [33, chain],
    ]),
  );
  const toBeSigned = encode(['Signature1', protectedHeader, new Uint8Array(0), new Uint8Array(claim)]);
  const algorithm = { name: 'ECDSA', hash: 'SHA-256' };
  const signature = new Uint8Array(
    await webcrypto.subtle.sign(algorithm, by.key, new Uint8Array(toBeSigned)),
  );
  const message = encode(['CounterSignature', protectedHeader, new Uint8Array(0), encode(signature)]);
  const token = stamp && (await stamp(message));
  const assemble = (padBytes: number): Buffer => {
    const unprotected = {
      ...(token && { sigTst2: { tstTokens: [{ val: token }] } }),
      pad: new Uint8Array(padBytes),
    };
    return Buffer.concat([Buffer.from([0xd2]), encode([protectedHeader, unprotected, null, signature])]);
  };
  // The pad is longer than 255 bytes in any case, so that its length takes three bytes and the sum is exact.
  return assemble(1000 + RESERVE_BYTES - assemble(1000).length);
}
