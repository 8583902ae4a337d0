import { X509Certificate } from 'node:crypto';
import { compactVerify } from 'jose';
import { z } from 'zod';

/** What a report key signs with: the algorithms of the JWS header, and no other. */
const ALGORITHMS = ['ES256', 'ES384', 'PS256', 'Ed25519'];
const MAX_CERTIFICATES = 6;
const MAX_JWS_CHARACTERS = 256 * 1024 * 1024;

const headerSchema = z.strictObject({
  alg: z.enum(ALGORITHMS),
  typ: z.string().max(100),
  x5c: z.array(z.string().max(16_384)).min(1).max(MAX_CERTIFICATES),
  'x5t#S256': z.string().max(64),
});

export interface SignedJson {
  readonly payload: Buffer;
  readonly certificateSha256: string;
  readonly subject: string;
  /** The certificate that signed, then its issuers. */
  readonly chain: readonly [X509Certificate, ...X509Certificate[]];
}

export interface SignedJsonQuestion {
  /** Compact serialization (RFC 7515 section 7.1). */
  readonly jws: string;
  /** The `typ` that is expected. */
  readonly type: string;
  /** PEM of the authorities that the certificate may lead to; `undefined`: to whichever, which proves no name. */
  readonly anchorsPem: string | undefined;
  /** When it is said to have been signed. */
  readonly at: Date;
}

/** Verifies a signed report; never throws for what a stranger could have written. */
export async function verifySignedJson(
  question: SignedJsonQuestion,
): Promise<SignedJson | { readonly fault: string }> {
  const { jws, type, at } = question;
  if (jws.length > MAX_JWS_CHARACTERS) return { fault: 'The signed file is too large to be read.' };
  const header = readHeader(jws);
  if (header === undefined) return { fault: 'The signed file is not a compact JWS with a certificate.' };
  if (header.typ !== type) return { fault: 'The signature is one for another kind of document.' };
  const chain = readCertificates(header.x5c);
  const [leaf, ...issuers] = chain;
  if (leaf === undefined) return { fault: 'The certificate of the signature cannot be read.' };
  const fault = chainFault(chain, question.anchorsPem, at);
  if (fault !== undefined) return { fault };
  const sha256 = leaf.fingerprint256.replaceAll(':', '').toLowerCase();
  if (Buffer.from(sha256, 'hex').toString('base64url') !== header['x5t#S256'])
    return { fault: 'The signature names another certificate than it carries.' };
  try {
    const { payload } = await compactVerify(jws, leaf.publicKey, { algorithms: ALGORITHMS });
    const signer = { certificateSha256: sha256, subject: leaf.subject, chain: [leaf, ...issuers] as const };
    return { payload: Buffer.from(payload), ...signer };
  } catch {
    return { fault: 'The signature does not hold: what is signed was changed.' };
  }
}

/** The `typ` in the header, not believed; `undefined` for what is no such file. */
export function typeOfSignedJson(jws: string): string | undefined {
  return readHeader(jws)?.typ;
}

function readHeader(jws: string): z.infer<typeof headerSchema> | undefined {
  try {
    const [encoded = ''] = jws.split('.', 1);
    const parsed = headerSchema.safeParse(JSON.parse(Buffer.from(encoded, 'base64url').toString('utf8')));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

function readCertificates(x5c: readonly string[]): X509Certificate[] {
  try {
    return x5c.map((der) => new X509Certificate(Buffer.from(der, 'base64')));
  } catch {
    return [];
  }
}

/** The way to an anchor by signatures, each certificate valid at the time. Without anchors the last issuer is open. */
export function chainFault(
  chain: readonly X509Certificate[],
  anchorsPem: string | undefined,
  at: Date,
): string | undefined {
  const anchors = (
    (anchorsPem ?? '').match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  ).flatMap((pem) => readCertificates([pem.replace(/-----[^-]+-----|\s/g, '')]));
  for (const [i, certificate] of chain.entries()) {
    if (at < new Date(certificate.validFrom) || at > new Date(certificate.validTo))
      return 'A certificate of the signature was not valid when the report was made.';
    const issuer = chain[i + 1];
    if (issuer === undefined && anchorsPem === undefined) continue;
    const known = issuer === undefined ? anchors : [issuer];
    if (!known.some((each) => each.ca && certificate.checkIssued(each) && certificate.verify(each.publicKey)))
      return 'The certificate of the signature does not lead to the authority for reports in this bundle.';
  }
  return chain[0]?.ca === true ? 'The report is signed by an authority instead of a report key.' : undefined;
}
