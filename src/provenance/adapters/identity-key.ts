import { createPrivateKey, sign, X509Certificate, type KeyObject } from 'node:crypto';
import { sha256Hex } from '../../shared/bytes.js';
import { ColophonError } from '../../shared/errors.js';
import { type IssuedCredential } from '../domain/identity-issuer.port.js';
import { type IdentityKey } from '../domain/identity-key.port.js';

const DOCUMENT_SIGNING = '1.3.6.1.5.5.7.3.36';
const MAX_CERTIFICATES = 10;
const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/**
 * The key of a named actor, checked by the X.509 profile of CAWG Identity 1.3: an end-entity certificate for document
 * signing that is valid now, with its own P-256 key.
 *
 * @throws ColophonError `invalid_request`, which says what does not fit
 */
export function openIdentityKey(
  { chainPem, keyPem }: IssuedCredential,
  now: Date,
  anchorsPem: string,
): IdentityKey {
  const { chain, key } = parse(chainPem, keyPem);
  const [leaf] = chain;
  demand(leaf !== undefined && chain.length <= MAX_CERTIFICATES, 'one to ten certificates are expected');
  demand(!leaf.ca, 'the first certificate belongs to an authority');
  demand(
    (leaf.keyUsage ?? []).includes(DOCUMENT_SIGNING),
    `the certificate is not for document signing (${DOCUMENT_SIGNING})`,
  );
  demand(
    key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1',
    'the key is not on P-256',
  );
  demand(leaf.checkPrivateKey(key), 'the key does not belong to the certificate');
  const notAfter = new Date(leaf.validTo);
  demand(new Date(leaf.validFrom) <= now && now < notAfter, 'the certificate is not valid now');
  return {
    key: {
      algorithm: 'es256',
      certificateChainPem: chainPem,
      certificateNotBefore: new Date(leaf.validFrom),
      certificateNotAfter: notAfter,
      sign: (bytes) =>
        new Promise((resolve, reject) => {
          sign('sha256', bytes, { key, dsaEncoding: 'ieee-p1363' }, (error, signature) => {
            if (error) reject(error);
            else resolve(signature);
          });
        }),
    },
    isTrustedHere: leadsTo(anchorsPem, chainPem),
    subject: leaf.subject,
    certificateSha256: leaf.fingerprint256.replaceAll(':', '').toLowerCase(),
  };
}

const REMEMBERED_MS = 60_000;
const MAX_REMEMBERED = 100;

/**
 * Opened keys of the last minute: reading a chain and its key takes longer than signing with it, and a campaign names one
 * organization in every file. Whether the holder still has the credential is asked before, each time.
 */
export class IdentityKeys {
  private readonly opened = new Map<
    string,
    { readonly key: IdentityKey; readonly fromMs: number; readonly untilMs: number }
  >();

  constructor(private readonly anchorsPem: string) {}

  /** @throws ColophonError as {@link openIdentityKey} */
  open(credential: IssuedCredential, now: Date): IdentityKey {
    const name = sha256Hex(credential.chainPem, '\n', credential.keyPem);
    const known = this.opened.get(name);
    // A clock that was set back asks about a time for which nothing was checked.
    if (known && known.fromMs <= now.getTime() && now.getTime() < known.untilMs) return known.key;
    const key = openIdentityKey(credential, now, this.anchorsPem);
    if (this.opened.size >= MAX_REMEMBERED) this.opened.clear();
    const endsMs = key.key.certificateNotAfter.getTime();
    const fromMs = now.getTime();
    this.opened.set(name, { key, fromMs, untilMs: Math.min(endsMs, fromMs + REMEMBERED_MS) });
    return key;
  }
}

/** Whether a chain leads to one of the anchors, by signatures. */
function leadsTo(anchorsPem: string, chainPem: string): boolean {
  const anchors = certificatesIn(anchorsPem);
  const chain = certificatesIn(chainPem);
  return chain.some((certificate, i) => {
    const linked = chain.slice(0, i).every((each, at) => issuedBy(each, chain[at + 1]));
    return (
      linked && anchors.some((anchor) => anchor.raw.equals(certificate.raw) || issuedBy(certificate, anchor))
    );
  });
}

function issuedBy(certificate: X509Certificate, issuer: X509Certificate | undefined): boolean {
  return (
    issuer !== undefined &&
    issuer.ca &&
    certificate.checkIssued(issuer) &&
    certificate.verify(issuer.publicKey)
  );
}

function certificatesIn(pem: string): X509Certificate[] {
  return (pem.match(PEM_CERTIFICATE) ?? []).map((text) => new X509Certificate(text));
}

function parse(chainPem: string, keyPem: string): { chain: X509Certificate[]; key: KeyObject } {
  try {
    return { chain: certificatesIn(chainPem), key: createPrivateKey(keyPem) };
  } catch (cause) {
    throw new ColophonError('invalid_request', 'The certificates or the key are not readable PEM.', {
      cause,
    });
  }
}

function demand(condition: boolean, problem: string): asserts condition {
  if (!condition) throw new ColophonError('invalid_request', `The credential cannot be used: ${problem}.`);
}
