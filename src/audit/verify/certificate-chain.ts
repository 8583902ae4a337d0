import {
  type BasicConstraints,
  type Certificate,
  CertificateChainValidationEngine,
  type ExtKeyUsage,
  type Extension,
} from 'pkijs';
import { type BitString } from 'asn1js';
import { pkiEngine, subjectName } from './pki.js';

/**
 * Certificate paths by RFC 5280 section 6. The search is ours because it must end: pkijs follows cross-certificates
 * without a bound, and it does not look at pathLenConstraint. Names and policies of the path found are its work.
 */

/** Leaf and root included. Public time-stamping chains have 3 or 4. */
const MAX_PATH_LENGTH = 6;
/** A token full of certificates by one name must not keep us busy. */
const MAX_SIGNATURE_CHECKS = 64;

export const TIME_STAMPING = '1.3.6.1.5.5.7.3.8';
const ANY_EXTENDED_KEY_USAGE = '2.5.29.37.0';
const BASIC_CONSTRAINTS = '2.5.29.19';
const KEY_USAGE = '2.5.29.15';
const EXTENDED_KEY_USAGE = '2.5.29.37';
/** First byte of the key usage bits: digitalSignature, nonRepudiation, keyCertSign. */
const SIGNING_BITS = 0x80 | 0x40;
const KEY_CERT_SIGN_BIT = 0x04;

/** Critical extensions whose meaning is enforced here or by pkijs: RFC 5280 refuses every other one. */
const UNDERSTOOD: ReadonlySet<string> = new Set([
  BASIC_CONSTRAINTS,
  KEY_USAGE,
  EXTENDED_KEY_USAGE,
  '2.5.29.17', // subjectAltName
  '2.5.29.30', // nameConstraints
  '2.5.29.32', // certificatePolicies
  '2.5.29.33', // policyMappings
  '2.5.29.36', // policyConstraints
  '2.5.29.54', // inhibitAnyPolicy
]);

export interface ChainQuestion {
  readonly leaf: Certificate;
  /** From the token and from the verifier, trusted for nothing. */
  readonly intermediates: readonly Certificate[];
  readonly roots: readonly Certificate[];
  readonly at: Date;
  /** Purposes (extended key usage) of which an issuer that is limited must be allowed one; default time-stamping. */
  readonly purposes?: readonly string[];
}

export interface ChainAnswer {
  /** Leaf first, root last; missing when none leads to a root. */
  readonly path?: readonly Certificate[];
  /** Why the chain proves nothing, whatever the time; absent when it holds. */
  readonly fault?: string;
  /** A certificate of the path that is not valid at the given time. */
  readonly validityFault?: string;
}

/** Looks for a path from the leaf to one of the roots; one that holds at the given time is preferred. */
export async function checkChain(question: ChainQuestion): Promise<ChainAnswer> {
  const paths = await new PathSearch(question).run();
  let best: ChainAnswer | undefined;
  for (const path of paths) {
    const answer = await judge(path, question.at, question.purposes ?? [TIME_STAMPING]);
    if (answer.fault === undefined && answer.validityFault === undefined) return answer;
    if (best === undefined || (best.fault !== undefined && answer.fault === undefined)) best = answer;
  }
  return (
    best ?? { fault: `the certificate of ${subjectName(question.leaf)} leads to none of the given roots` }
  );
}

class PathSearch {
  private readonly found: Certificate[][] = [];
  private checksLeft = MAX_SIGNATURE_CHECKS;

  constructor(private readonly question: ChainQuestion) {}

  async run(): Promise<Certificate[][]> {
    await this.extend([this.question.leaf]);
    return this.found;
  }

  private async extend(path: Certificate[]): Promise<void> {
    const last = path.at(-1);
    if (last === undefined || path.length >= MAX_PATH_LENGTH) return;
    for (const root of this.question.roots) {
      if (await this.isIssuedBy(last, root)) this.found.push([...path, root]);
    }
    for (const issuer of this.question.intermediates) {
      const known = path.some((member) => isSameKeyAndName(member, issuer));
      if (!known && (await this.isIssuedBy(last, issuer))) await this.extend([...path, issuer]);
    }
  }

  private async isIssuedBy(certificate: Certificate, issuer: Certificate): Promise<boolean> {
    if (!certificate.issuer.isEqual(issuer.subject) || this.checksLeft === 0) return false;
    this.checksLeft--;
    try {
      return await certificate.verify(issuer, pkiEngine);
    } catch {
      return false;
    }
  }
}

function isSameKeyAndName(a: Certificate, b: Certificate): boolean {
  const keyOf = (certificate: Certificate): Uint8Array =>
    certificate.subjectPublicKeyInfo.subjectPublicKey.valueBlock.valueHexView;
  return a.subject.isEqual(b.subject) && Buffer.compare(keyOf(a), keyOf(b)) === 0;
}

async function judge(
  path: readonly Certificate[],
  at: Date,
  purposes: readonly string[],
): Promise<ChainAnswer> {
  const fault = pathFault(path, purposes);
  const validityFault = path.map((certificate) => periodFault(certificate, at)).find(Boolean);
  // pkijs judges names and policies only of a path that is valid at the time.
  const found = fault ?? (validityFault === undefined ? await namesAndPoliciesFault(path, at) : undefined);
  return {
    path,
    ...(found !== undefined && { fault: found }),
    ...(validityFault !== undefined && { validityFault }),
  };
}

function pathFault(path: readonly Certificate[], purposes: readonly string[]): string | undefined {
  for (const [depth, certificate] of path.entries()) {
    const fault =
      extensionFault(certificate) ??
      weakSignature(certificate, depth === path.length - 1) ??
      (depth === 0
        ? undefined
        : issuerFault(certificate, path.slice(1, depth), depth < path.length - 1 ? purposes : undefined));
    if (fault !== undefined) return `${fault} (${subjectName(certificate)})`;
  }
  return undefined;
}

function extensionFault({ extensions }: Certificate): string | undefined {
  const ids = (extensions ?? []).map(({ extnID }) => extnID);
  if (new Set(ids).size !== ids.length) return 'a certificate has an extension twice';
  const unknown = (extensions ?? []).find(({ critical, extnID }) => critical && !UNDERSTOOD.has(extnID));
  return (
    unknown && `a certificate has the critical extension ${unknown.extnID} that this verifier does not know`
  );
}

/** The signature of a root on itself proves nothing, so nobody cares how it was made. */
function weakSignature(certificate: Certificate, isRoot: boolean): string | undefined {
  if (isRoot) return undefined;
  const hash = pkiEngine.getHashAlgorithm(certificate.signatureAlgorithm);
  return /^SHA-(256|384|512)$/.test(hash)
    ? undefined
    : 'a certificate is signed over a hash other than SHA-2';
}

/** `below`: certificates between this one and the leaf. `purposes`: only for one that is no root. */
function issuerFault(
  certificate: Certificate,
  below: readonly Certificate[],
  purposes: readonly string[] | undefined,
): string | undefined {
  const constraints = extensionOf(certificate, BASIC_CONSTRAINTS)?.parsedValue as
    BasicConstraints | undefined;
  if (constraints?.cA !== true) return 'the issuing certificate is not one of a certification authority';
  const { pathLenConstraint } = constraints;
  if (pathLenConstraint !== undefined) {
    const limit =
      typeof pathLenConstraint === 'number' ? pathLenConstraint : Number(pathLenConstraint.toBigInt());
    const issuers = below.filter((member) => !member.subject.isEqual(member.issuer)).length;
    if (issuers > limit) return 'more authorities follow below a certificate than it allows';
  }
  const usage = keyUsageBits(certificate);
  if (usage !== undefined && (usage & KEY_CERT_SIGN_BIT) === 0)
    return 'the issuing key may not sign certificates';
  const allowed = purposes && extendedKeyUsage(certificate)?.purposes;
  if (allowed && ![...purposes, ANY_EXTENDED_KEY_USAGE].some((purpose) => allowed.includes(purpose))) {
    const wanted = purposes.includes(TIME_STAMPING) ? 'time-stamping' : 'signing claims';
    return `the issuing certificate is limited to other purposes than ${wanted}`;
  }
  return undefined;
}

/** nameConstraints, policyMappings, policyConstraints, inhibitAnyPolicy */
const CONSTRAINING: readonly string[] = ['2.5.29.30', '2.5.29.33', '2.5.29.36', '2.5.29.54'];

/** What authorities of the path say about names and policies below them; most say nothing. */
async function namesAndPoliciesFault(path: readonly Certificate[], at: Date): Promise<string | undefined> {
  if (!path.some(({ extensions }) => extensions?.some(({ extnID }) => CONSTRAINING.includes(extnID)))) {
    return undefined;
  }
  const engine = new CertificateChainValidationEngine({
    trustedCerts: path.slice(-1),
    // pkijs takes the last one for the leaf.
    certs: path.slice(0, -1).reverse(),
    checkDate: at,
  });
  try {
    const { result, resultMessage } = await engine.verify({}, pkiEngine);
    return result ? undefined : `the chain of certificates is refused: ${resultMessage}`;
  } catch {
    return 'the chain of certificates cannot be judged';
  }
}

/** Why a certificate is not valid at a time, if so. */
function periodFault(certificate: Certificate, at: Date): string | undefined {
  const from = certificate.notBefore.value;
  const until = certificate.notAfter.value;
  if (at >= from && at <= until) return undefined;
  const word = at < from ? `begins only at ${isoTime(from)}` : `ended at ${isoTime(until)}`;
  return `the certificate of ${subjectName(certificate)} ${word}`;
}

function isoTime(date: Date): string {
  return Number.isNaN(date.getTime()) ? 'an unreadable time' : date.toISOString();
}

export interface ExtendedKeyUsage {
  readonly critical: boolean;
  readonly purposes: readonly string[];
}

export function extendedKeyUsage(certificate: Certificate): ExtendedKeyUsage | undefined {
  const extension = extensionOf(certificate, EXTENDED_KEY_USAGE);
  if (extension === undefined) return undefined;
  const purposes = (extension.parsedValue as ExtKeyUsage | undefined)?.keyPurposes ?? [];
  return { critical: extension.critical, purposes };
}

/** What the certificate says of itself (basic constraints), whatever its key may be used for. */
export function isAuthority(certificate: Certificate): boolean {
  const constraints = extensionOf(certificate, BASIC_CONSTRAINTS)?.parsedValue as
    BasicConstraints | undefined;
  return constraints?.cA === true;
}

/** True when the key usage is absent or has digitalSignature or nonRepudiation. */
export function mayBeUsedToSign(certificate: Certificate): boolean {
  const usage = keyUsageBits(certificate);
  return usage === undefined || (usage & SIGNING_BITS) !== 0;
}

function keyUsageBits(certificate: Certificate): number | undefined {
  const extension = extensionOf(certificate, KEY_USAGE);
  if (extension === undefined) return undefined;
  return (extension.parsedValue as BitString | undefined)?.valueBlock.valueHexView[0] ?? 0;
}

function extensionOf(certificate: Certificate, id: string): Extension | undefined {
  return certificate.extensions?.find(({ extnID }) => extnID === id);
}
