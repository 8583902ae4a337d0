import { type X509Certificate } from 'node:crypto';
import { type Certificate } from 'pkijs';
import { checkChain } from '../../audit/verify/certificate-chain.js';
import { parseCertificatesPem } from '../../audit/verify/pki.js';

/** id-kp-documentSigning (RFC 9336): the one purpose that CAWG Identity 1.3 always accepts. */
export const DOCUMENT_SIGNING = '1.3.6.1.5.5.7.3.36';
const ANY_PURPOSE = '2.5.29.37.0';
/** Paths of which it is known whether authorities allow them: some hundred bytes each. */
const MAX_KNOWN_PATHS = 1000;

/** The certificates of one list, and which chains lead to one of them. */
export class IdentityAnchors {
  /** Whether the authorities of a path allow it, by the fingerprints of its certificates: no time changes that. */
  private readonly known = new Map<string, Promise<boolean>>();

  constructor(private readonly anchors: readonly X509Certificate[]) {}

  /**
   * Whether each certificate is issued by the next, and one of them by an anchor, or is an anchor itself. Only
   * authorities issue: a person's certificate that is on a list by itself vouches for no other name, and neither does an
   * authority whose certificate names other purposes (say, web servers), that says of what names or how far down it
   * may issue (RFC 5280 section 6), or that has something critical which nobody here understands.
   */
  async vouchFor(chain: readonly X509Certificate[], at: Date): Promise<boolean> {
    for (const [i, certificate] of chain.entries()) {
      if (!isWithin(certificate, at)) return false;
      for (const anchor of this.anchors) {
        const isAnchor = anchor.fingerprint256 === certificate.fingerprint256;
        if (isAnchor && i === 0) return true;
        const path = isAnchor ? chain.slice(0, i + 1) : [...chain.slice(0, i + 1), anchor];
        const leads = isAnchor || (isIssuedBy(certificate, anchor) && isWithin(anchor, at));
        if (leads && (await this.isAllowed(path, at))) return true;
      }
      const issuer = chain[i + 1];
      if (issuer === undefined || !isForNames(issuer) || !isIssuedBy(certificate, issuer)) return false;
    }
    return false;
  }

  /** Every certificate of the path is valid at this time, so the answer is that of any other such time. */
  private isAllowed(path: readonly X509Certificate[], at: Date): Promise<boolean> {
    const key = path.map(({ fingerprint256 }) => fingerprint256).join(' ');
    const known = this.known.get(key);
    if (known !== undefined) return known;
    if (this.known.size >= MAX_KNOWN_PATHS) this.known.clear();
    const allowed = allowedBy(path, at).catch(() => false);
    this.known.set(key, allowed);
    return allowed;
  }
}

async function allowedBy(path: readonly X509Certificate[], at: Date): Promise<boolean> {
  const [leaf, ...authorities] = path.map(parsed);
  const root = authorities.pop();
  if (leaf === undefined || root === undefined) return false;
  const question = { leaf, intermediates: authorities, roots: [root], at, purposes: [DOCUMENT_SIGNING] };
  const { path: found, fault, validityFault } = await checkChain(question);
  return found !== undefined && fault === undefined && validityFault === undefined;
}

/** @throws TlogError malformed */
function parsed(certificate: X509Certificate): Certificate {
  const [held] = parseCertificatesPem(certificate.toString());
  if (held === undefined) throw new Error('no certificate');
  return held.certificate;
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
