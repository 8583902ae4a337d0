import { fromBER, type BaseBlock, Constructed, Sequence } from 'asn1js';
import { Certificate, CryptoEngine } from 'pkijs';
import { TlogError } from '../core/tlog-error.js';

/**
 * The one place that ties pkijs to this machine's WebCrypto. The engine is handed to each call: pkijs also keeps one
 * for the whole process, and that one belongs to nobody.
 */
export const pkiEngine = new CryptoEngine({ name: 'webcrypto', crypto: globalThis.crypto });

/** Hash functions that a signature or an imprint may rest on. SHA-1 is broken and refused. */
export const ACCEPTED_DIGESTS: ReadonlyMap<string, AcceptedDigest> = new Map([
  ['2.16.840.1.101.3.4.2.1', 'SHA-256'],
  ['2.16.840.1.101.3.4.2.2', 'SHA-384'],
  ['2.16.840.1.101.3.4.2.3', 'SHA-512'],
]);

export type AcceptedDigest = 'SHA-256' | 'SHA-384' | 'SHA-512';

/** A certificate and its bytes as they came, because hashes over it must not depend on how we would write it. */
export interface HeldCertificate {
  readonly certificate: Certificate;
  readonly der: Uint8Array<ArrayBuffer>;
}

/** More is no trust store for time-stamps but a mistake. */
const MAX_PEM_BYTES = 1_048_576;
const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/g;

/**
 * One ASN.1 value that fills the bytes to the end. The decoder bounds nesting (100) and the number of nodes (10,000).
 * @throws TlogError malformed
 */
export function decodeAsn1(bytes: Uint8Array, what: string): BaseBlock {
  const { offset, result } = fromBER(owned(bytes));
  if (offset === -1) throw new TlogError('malformed', `${what} is not valid ASN.1`);
  if (offset !== bytes.length) throw new TlogError('malformed', `${what} has bytes after its end`);
  return result;
}

/** Members of a sequence, set or tagged group; nothing for any other block. */
export function childrenOf(block: BaseBlock | undefined): readonly BaseBlock[] {
  return block instanceof Sequence || block instanceof Constructed ? block.valueBlock.value : [];
}

/** @throws TlogError malformed */
function decodeCertificate(der: Uint8Array): HeldCertificate {
  const schema = decodeAsn1(der, 'a certificate');
  try {
    return { certificate: new Certificate({ schema }), der: owned(der) };
  } catch {
    throw new TlogError('malformed', 'a certificate is not valid X.509');
  }
}

/**
 * Certificates of a PEM text, e.g. a trust store; text around them is ignored.
 * @throws TlogError malformed when there is none or one cannot be read, limit_exceeded
 */
export function parseCertificatesPem(pem: string): HeldCertificate[] {
  if (pem.length > MAX_PEM_BYTES) throw new TlogError('limit_exceeded', 'the certificates are over 1 MiB');
  const certificates = [...pem.matchAll(PEM_CERTIFICATE)].map(([, base64 = '']) =>
    decodeCertificate(Buffer.from(base64, 'base64')),
  );
  if (certificates.length === 0) throw new TlogError('malformed', 'there is no certificate in the PEM text');
  return certificates;
}

export async function digest(algorithm: AcceptedDigest | 'SHA-1', bytes: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await globalThis.crypto.subtle.digest(algorithm, owned(bytes)));
}

/** A copy in a buffer of its own: views into a shared pool are no concern of a parser. */
export function owned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(bytes);
}

/** Common name and organization of a certificate for people, without control characters. */
export function subjectName(certificate: Certificate): string {
  const part = (type: string): string | undefined => {
    const found = certificate.subject.typesAndValues.find((attribute) => attribute.type === type);
    const value: unknown = found?.value.valueBlock.value;
    return typeof value === 'string' ? value.replace(/\p{C}/gu, ' ').slice(0, 100) : undefined;
  };
  const name = [part('2.5.4.3'), part('2.5.4.10')].filter((text) => text !== undefined && text !== '');
  return name.length === 0 ? 'an unnamed authority' : name.join(', ');
}
