import { type X509Certificate } from 'node:crypto';

/** id-kp-documentSigning (RFC 9336): the one purpose that CAWG Identity 1.3 always accepts. */
export const DOCUMENT_SIGNING = '1.3.6.1.5.5.7.3.36';
const ANY_PURPOSE = '2.5.29.37.0';

/**
 * Whether each certificate is issued by the next, and one of them by an anchor, or is an anchor itself. Only authorities
 * issue: a person's certificate that is on a list by itself vouches for no other name, and neither does an authority
 * whose certificate names other purposes (say, web servers).
 */
export function leadsToAnchor(
  chain: readonly X509Certificate[],
  anchors: readonly X509Certificate[],
  at: Date,
): boolean {
  for (const [i, certificate] of chain.entries()) {
    if (!isWithin(certificate, at)) return false;
    if (anchors.some((anchor) => anchor.fingerprint256 === certificate.fingerprint256)) return true;
    if (anchors.some((anchor) => isIssuedBy(certificate, anchor) && isWithin(anchor, at))) return true;
    const issuer = chain[i + 1];
    if (issuer === undefined || !isForNames(issuer) || !isIssuedBy(certificate, issuer)) return false;
  }
  return false;
}

/**
 * RFC 5280 section 4.2.1.12, as verifiers read it in authorities: it bounds the purposes of what they issue, and an
 * authority without it may issue for every purpose. Node calls the extended key usage `keyUsage`.
 */
function isForNames({ keyUsage: purposes }: X509Certificate): boolean {
  return (
    (purposes as string[] | undefined)?.some((each) => [DOCUMENT_SIGNING, ANY_PURPOSE].includes(each)) ?? true
  );
}

function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return issuer.ca && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

export function isWithin(certificate: X509Certificate, at: Date): boolean {
  return new Date(certificate.validFrom) <= at && at <= new Date(certificate.validTo);
}
