import { X509Certificate } from 'node:crypto';
import { Certificate } from 'pkijs';
import {
  checkChain,
  extendedKeyUsage,
  isAuthority,
  mayBeUsedToSign,
  TIME_STAMPING,
} from '../../audit/verify/certificate-chain.js';
import {
  childrenOf,
  decodeAsn1,
  parseCertificatesPem,
  type HeldCertificate,
} from '../../audit/verify/pki.js';
import {
  verifyTimeStampToken,
  type TimeStampTrust,
  type TimeStampVerification,
} from '../../audit/verify/time-stamp-token.js';
import { type Clock } from '../../shared/clock.js';
import { sha256Hex } from '../../shared/bytes.js';
import { type SignerFinding, type TimeStampFinding } from '../domain/signature-finding.js';
import { OWN_TRUST_LIST, type TrustList, type TrustListUse, trustListUse } from '../domain/trust-list.js';
import { type ClaimSignatureParts, stampedMessage, type StampedToken } from './cose-reading.js';

/** One of these must be among the purposes of a certificate that signs claims (C2PA 2.4 section 14.5.1). */
const CLAIM_PURPOSES: readonly string[] = [
  '1.3.6.1.4.1.62558.2.1', // c2pa-kp-claimSigning
  '1.3.6.1.5.5.7.3.4', // emailProtection
  '1.3.6.1.5.5.7.3.36', // documentSigning
  '1.3.6.1.4.1.311.76.59.1.9', // Microsoft C2PA signing, accepted by the library as well
];

/** A certificate with one of these is for something else, or for everything, and signs no claims (the same section). */
const OTHER_PURPOSES: readonly string[] = [
  TIME_STAMPING,
  '1.3.6.1.5.5.7.3.9', // OCSPSigning
  '2.5.29.37.0', // anyExtendedKeyUsage
];

const KNOWN_FOR_MS = 60_000;
const MAX_KNOWN = 500;

interface ReadList {
  readonly list: TrustList;
  readonly certificates: readonly HeldCertificate[];
  readonly fingerprints: ReadonlySet<string>;
  /** One object a list: the verifier of tokens remembers what it read for it. */
  readonly trust: TimeStampTrust;
}

/**
 * Judges signers by the lists for signers, and time-stamps by the lists for time-stamp authorities: the C2PA library
 * takes one bundle for both, so that a time-stamp authority's root would make a signer trusted, and the other way
 * round.
 */
export class TrustJudge {
  private readonly lists: readonly ReadList[];
  /** Thousands of files are signed by one certificate, and reading a chain costs more than checking a signature. */
  private readonly known = new Map<string, SignerFinding | undefined>();

  constructor(
    lists: readonly TrustList[],
    private readonly clock: Clock,
  ) {
    this.lists = lists.map((list) => {
      const certificates = certificatesOf(list);
      const fingerprints = new Set(certificates.map(({ der }) => sha256Hex(der)));
      return { list, certificates, fingerprints, trust: { rootsPem: list.anchorsPem } };
    });
  }

  /** @param trustedTime when a time-stamp authority that we trust saw the signature; otherwise now counts */
  async signer(
    parts: ClaimSignatureParts,
    trustedTime: Date | undefined,
  ): Promise<SignerFinding | undefined> {
    const at = trustedTime ?? this.clock.now();
    const minute = Math.floor(at.getTime() / KNOWN_FOR_MS);
    const key = sha256Hex(
      ...parts.chain.map((der) => `${sha256Hex(der)} `),
      String(trustedTime?.getTime() ?? minute),
    );
    if (!this.known.has(key)) {
      if (this.known.size >= MAX_KNOWN) this.known.clear();
      this.known.set(key, await this.judgeSigner(parts, at));
    }
    return this.known.get(key);
  }

  private async judgeSigner(parts: ClaimSignatureParts, at: Date): Promise<SignerFinding | undefined> {
    const [leafDer, ...issuers] = parts.chain;
    const leaf = leafDer && readCertificate(leafDer);
    const facts = leafDer && readNames(leafDer);
    if (leafDer === undefined || leaf === undefined || facts === undefined) return undefined;
    const unfit = unfitBecause(leaf);
    const {
      list,
      fault,
      isOurs = false,
    } = unfit === undefined
      ? await this.listFor(leafDer, leaf, issuers, at)
      : { list: undefined, fault: unfit };
    return {
      subject: nameOf(facts.subject),
      issuer: nameOf(facts.issuer),
      certificateSha256: sha256Hex(leafDer),
      serialNumber: BigInt(`0x${facts.serialNumber}`).toString(),
      notBefore: timeOf(leaf.notBefore.value),
      notAfter: timeOf(leaf.notAfter.value),
      list,
      isOurs,
      notTrustedBecause:
        list === undefined ? (fault ?? 'its certificate leads to no list that we trust') : undefined,
    };
  }

  private async listFor(
    leafDer: Uint8Array,
    leaf: Certificate,
    issuers: readonly Uint8Array[],
    at: Date,
  ): Promise<{ list?: TrustListUse; fault?: string; isOurs?: boolean }> {
    const intermediates = issuers.map(readCertificate).filter((each) => each !== undefined);
    let fault: string | undefined;
    let isOurs = false;
    for (const { list, certificates, fingerprints } of this.lists) {
      if (list.purpose !== 'signers') continue;
      const only = list.onlyCertificates;
      const leafSha256 = sha256Hex(leafDer);
      if (only !== undefined) {
        isOurs = only.ever.includes(leafSha256);
        if (!only.trusted.includes(leafSha256)) continue;
      }
      const roots = certificates.map(({ certificate }) => certificate);
      const answer = await checkChain({ leaf, intermediates, roots, at, purposes: CLAIM_PURPOSES });
      if (list.name === OWN_TRUST_LIST && only === undefined)
        isOurs = answer.path !== undefined && answer.fault === undefined;
      // A certificate that is on the list itself needs no authority above it, but it must be alive.
      const isListed = fingerprints.has(leafSha256) && isAlive(leaf, at);
      const isLed =
        answer.path !== undefined && answer.fault === undefined && answer.validityFault === undefined;
      if (isListed || isLed) return { list: trustListUse(list, this.clock.now()), isOurs };
      if (answer.path !== undefined) fault ??= answer.fault ?? answer.validityFault;
    }
    return { isOurs, ...(fault !== undefined && { fault }) };
  }

  async timeStamp(parts: ClaimSignatureParts, claim: Uint8Array): Promise<TimeStampFinding> {
    const nothing = { at: undefined, authority: undefined, list: undefined };
    if (parts.timeStamps.length === 0) return { status: 'none', ...nothing };
    let best: TimeStampFinding = { status: 'invalid', ...nothing };
    for (const stamped of parts.timeStamps) {
      const finding = await this.token(stamped, stampedMessage(parts, stamped.header, claim));
      if (finding.status === 'trusted') return finding;
      if (finding.status === 'untrusted') best = finding;
    }
    return best;
  }

  private async token(stamped: StampedToken, message: Uint8Array): Promise<TimeStampFinding> {
    const token = tokenOf(stamped.bytes);
    let untrusted: TimeStampFinding | undefined;
    for (const { list, trust } of this.lists) {
      if (list.purpose !== 'time_stamps') continue;
      const result = await verifyTimeStampToken({ token, message, trust });
      if (result.valid) {
        const { genTime, authority } = result.stamp;
        return {
          status: 'trusted',
          at: timeOf(genTime),
          authority,
          list: trustListUse(list, this.clock.now()),
        };
      }
      if (!holdsApartFromTrust(result))
        return { status: 'invalid', at: undefined, authority: undefined, list: undefined };
      untrusted ??= { status: 'untrusted', at: undefined, authority: undefined, list: undefined };
    }
    if (untrusted) return untrusted;
    // Without any list, all but the chain can still be checked.
    const result = await verifyTimeStampToken({ token, message, trust: { rootsPem: '' } });
    const status = holdsApartFromTrust(result) ? 'untrusted' : 'invalid';
    return { status, at: undefined, authority: undefined, list: undefined };
  }
}

const TRUST_CHECKS: ReadonlySet<string> = new Set(['chain', 'validity', 'purpose', 'certificate_binding']);

function holdsApartFromTrust({ statuses }: TimeStampVerification): boolean {
  return statuses.every(({ check, outcome }) => outcome !== 'failed' || TRUST_CHECKS.has(check));
}

/** `sigTst` may hold the whole TimeStampResp (RFC 3161 section 2.4.2): status, then the token. */
function tokenOf(bytes: Uint8Array): Uint8Array {
  try {
    const [first, second] = childrenOf(decodeAsn1(bytes, 'a time-stamp'));
    const isResponse = first !== undefined && first.idBlock.tagNumber === 16 && second !== undefined;
    return isResponse ? new Uint8Array(second.valueBeforeDecodeView) : bytes;
  } catch {
    return bytes;
  }
}

/** A list in which nothing can be read, as in a bundle that was tampered with, makes nobody trusted. */
function certificatesOf({ anchorsPem }: TrustList): readonly HeldCertificate[] {
  try {
    return parseCertificatesPem(anchorsPem);
  } catch {
    return [];
  }
}

/** Why a certificate signs no claims, whoever issued it. */
function unfitBecause(leaf: Certificate): string | undefined {
  const purposes = extendedKeyUsage(leaf)?.purposes ?? [];
  if (!purposes.some((purpose) => CLAIM_PURPOSES.includes(purpose)))
    return 'its certificate is not for signing claims';
  if (purposes.some((purpose) => OTHER_PURPOSES.includes(purpose)))
    return 'its certificate is for more than signing claims';
  if (isAuthority(leaf)) return 'its certificate is that of an authority';
  return mayBeUsedToSign(leaf) ? undefined : 'the key of its certificate may not sign';
}

function readCertificate(der: Uint8Array): Certificate | undefined {
  try {
    return new Certificate({ schema: decodeAsn1(der, 'a certificate') });
  } catch {
    return undefined;
  }
}

function readNames(der: Uint8Array): X509Certificate | undefined {
  try {
    return new X509Certificate(der);
  } catch {
    return undefined;
  }
}

function isAlive(certificate: Certificate, at: Date): boolean {
  return at >= certificate.notBefore.value && at <= certificate.notAfter.value;
}

function timeOf(date: Date): string {
  return Number.isNaN(date.getTime()) ? '' : date.toISOString();
}

const MAX_NAME_LENGTH = 200;

/** Common name and organization out of a distinguished name with one attribute a line. */
function nameOf(distinguishedName: string | undefined): string {
  const attributes = (distinguishedName ?? '').split('\n');
  const valueOf = (key: string): string | undefined =>
    attributes
      .find((line) => line.startsWith(`${key}=`))
      ?.slice(key.length + 1)
      // As Node writes them, special characters are escaped (RFC 2253 section 2.4).
      .replaceAll(/\\([,+"\\<>;=# ])/g, '$1');
  const parts = [valueOf('CN'), valueOf('O')].filter((part) => part !== undefined && part !== '');
  return [...new Set(parts)].join(', ').slice(0, MAX_NAME_LENGTH);
}
