import { bytesEqual } from '../core/strict-encoding.js';
import { TlogError } from '../core/tlog-error.js';
import { checkChain, extendedKeyUsage, mayBeUsedToSign, TIME_STAMPING } from './certificate-chain.js';
import {
  ACCEPTED_DIGESTS,
  type AcceptedDigest,
  digest,
  type HeldCertificate,
  parseCertificatesPem,
  subjectName,
} from './pki.js';
import { bindingFault, findSigner } from './signing-certificate.js';
import { attributesFault, signatureFault } from './time-stamp-signature.js';
import { type DecodedToken, decodeTimeStampToken } from './time-stamp-structure.js';

/**
 * Verification of RFC 3161 time-stamp tokens, offline. Every check is answered on its own, so that a report can say
 * all that is wrong with a token. WebCrypto only: it runs in a browser as well.
 */

export type TimeStampCheck =
  | 'form'
  | 'imprint'
  | 'nonce'
  | 'signer'
  | 'attributes'
  | 'signature'
  | 'certificate_binding'
  | 'purpose'
  | 'chain'
  | 'validity'
  | 'revocation';

export interface TimeStampStatus {
  readonly check: TimeStampCheck;
  /** `not_checked`: nothing was given to check it by, or an earlier fault left nothing to look at. */
  readonly outcome: 'passed' | 'failed' | 'not_checked';
  /** One sentence for people. */
  readonly text: string;
}

/** What a valid token says. */
export interface TimeStamp {
  readonly genTime: Date;
  /** How far genTime may be from UTC, in milliseconds; absent where the authority does not say. */
  readonly accuracyMs?: number;
  /** OID of the policy under which it was issued. */
  readonly policy: string;
  /** Hexadecimal. */
  readonly serialNumber: string;
  readonly digest: AcceptedDigest;
  /** Name in the authority's certificate. */
  readonly authority: string;
}

export type TimeStampVerification =
  | { readonly valid: true; readonly stamp: TimeStamp; readonly statuses: readonly TimeStampStatus[] }
  | { readonly valid: false; readonly statuses: readonly TimeStampStatus[] };

/** Whom a verifier trusts for the time. PEM texts with one certificate or more. */
export interface TimeStampTrust {
  readonly rootsPem: string;
  /** For authorities that do not send their whole chain. They are trusted for nothing by themselves. */
  readonly intermediatesPem?: string;
}

export interface TimeStampQuestion {
  /** DER of the TimeStampToken (CMS ContentInfo), not of the whole response. */
  readonly token: Uint8Array;
  /** The stamped bytes, e.g. the text of a checkpoint. */
  readonly message: Uint8Array;
  readonly trust: TimeStampTrust;
  /** The number sent with the request; only who asked can know it. */
  readonly nonce?: bigint;
}

/** Collects the statuses; what throws a TlogError fails its check. */
class Findings {
  readonly statuses: TimeStampStatus[] = [];

  add(check: TimeStampCheck, fault: string | undefined, passed: string): void {
    const text = fault === undefined ? passed : `${fault.charAt(0).toUpperCase()}${fault.slice(1)}.`;
    this.statuses.push({ check, outcome: fault === undefined ? 'passed' : 'failed', text });
  }

  notChecked(check: TimeStampCheck, text: string): void {
    this.statuses.push({ check, outcome: 'not_checked', text });
  }

  get valid(): boolean {
    return this.statuses.every(({ outcome }) => outcome !== 'failed');
  }
}

/** Never throws for a bad token or bad trust: that is the result. At most 64 KiB are looked at. */
export async function verifyTimeStampToken(question: TimeStampQuestion): Promise<TimeStampVerification> {
  const findings = new Findings();
  let decoded: DecodedToken;
  try {
    decoded = decodeTimeStampToken(question.token);
  } catch (error) {
    findings.add('form', messageOf(error), '');
    return { valid: false, statuses: findings.statuses };
  }
  findings.add('form', undefined, 'The token is a signed TSTInfo of version 1.');
  const signer = await runChecks(decoded, question, findings);
  const { statuses, valid } = findings;
  if (!valid || signer === undefined) return { valid: false, statuses };
  return { valid, stamp: stampOf(decoded, signer), statuses };
}

async function runChecks(
  decoded: DecodedToken,
  question: TimeStampQuestion,
  findings: Findings,
): Promise<HeldCertificate | undefined> {
  try {
    await checkImprint(decoded, question.message, findings);
    checkNonce(decoded, question.nonce, findings);
    return await checkSignature(decoded, question.trust, findings);
  } catch {
    // The ASN.1 library reads some values only when they are asked for, and throws then.
    findings.add('form', 'the token has a part that cannot be read', '');
    return undefined;
  }
}

function stampOf({ info, genTime, accuracyMs }: DecodedToken, signer: HeldCertificate): TimeStamp {
  return {
    genTime,
    ...(accuracyMs !== undefined && { accuracyMs }),
    policy: info.policy,
    serialNumber: Buffer.from(info.serialNumber.valueBlock.valueHexView).toString('hex'),
    digest: ACCEPTED_DIGESTS.get(info.messageImprint.hashAlgorithm.algorithmId) ?? 'SHA-256',
    authority: subjectName(signer.certificate),
  };
}

/** The imprint is the hash of the stamped bytes: hashedMessage = H(message). */
async function checkImprint({ info }: DecodedToken, message: Uint8Array, findings: Findings): Promise<void> {
  const { hashAlgorithm, hashedMessage } = info.messageImprint;
  const algorithm = ACCEPTED_DIGESTS.get(hashAlgorithm.algorithmId);
  if (algorithm === undefined) {
    return findings.add(
      'imprint',
      'the imprint is made with a hash other than SHA-256, SHA-384 and SHA-512',
      '',
    );
  }
  const same = bytesEqual(new Uint8Array(hashedMessage.getValue()), await digest(algorithm, message));
  const fault = same ? undefined : 'the token is about other bytes (the imprint differs)';
  findings.add('imprint', fault, `The token is about exactly these bytes (${algorithm}).`);
}

function checkNonce({ info }: DecodedToken, nonce: bigint | undefined, findings: Findings): void {
  if (nonce === undefined) {
    return findings.notChecked('nonce', 'The nonce is known only to who asked for the token.');
  }
  const answered = info.nonce?.toBigInt();
  const missing = answered === undefined ? 'the token does not repeat our nonce' : undefined;
  const fault =
    missing ?? (answered === nonce ? undefined : 'the token answers another request (the nonce differs)');
  findings.add('nonce', fault, 'The token repeats our nonce, so it answers our request.');
}

/** Everything about who signed. @returns the certificate that signed, where it was found */
async function checkSignature(
  decoded: DecodedToken,
  trust: TimeStampTrust,
  findings: Findings,
): Promise<HeldCertificate | undefined> {
  const { roots, intermediates, fault } = readTrust(trust);
  const signer = findSigner(decoded.signer, [...decoded.certificates, ...intermediates]);
  findings.add('attributes', await attributesFault(decoded), 'The signed attributes cover the content.');
  if (signer === undefined) {
    findings.add('signer', 'the certificate of the authority is neither in the token nor given', '');
    return undefined;
  }
  findings.add('signer', undefined, `The token is by ${subjectName(signer.certificate)}.`);
  findings.add('signature', await signatureFault(decoded, signer), 'The signature verifies.');
  findings.add(
    'certificate_binding',
    await bindingFault(decoded.signer.signedAttrs?.attributes ?? [], signer),
    'The signature names this certificate by its hash.',
  );
  findings.add('purpose', purposeFault(signer), 'The certificate is for time-stamping and nothing else.');
  if (fault === undefined) {
    await reportChain(decoded, signer, [...decoded.certificates, ...intermediates], roots, findings);
  } else {
    findings.add('chain', fault, '');
  }
  findings.notChecked('revocation', 'Whether a certificate was revoked is not checked offline.');
  return signer;
}

interface ReadTrust {
  readonly roots: readonly HeldCertificate[];
  readonly intermediates: readonly HeldCertificate[];
  readonly fault?: string;
}

/** A report checks many tokens by one trust; reading its certificates is a third of the work on a token. */
const trustsRead = new WeakMap<TimeStampTrust, ReadTrust>();

function readTrust(trust: TimeStampTrust): ReadTrust {
  let read = trustsRead.get(trust);
  if (read === undefined) {
    read = parseTrust(trust);
    trustsRead.set(trust, read);
  }
  return read;
}

function parseTrust({ rootsPem, intermediatesPem }: TimeStampTrust): ReadTrust {
  try {
    const intermediates = intermediatesPem === undefined ? [] : parseCertificatesPem(intermediatesPem);
    return { roots: parseCertificatesPem(rootsPem), intermediates };
  } catch (error) {
    return {
      roots: [],
      intermediates: [],
      fault: `the given roots cannot be used: ${messageOf(error)}`,
    };
  }
}

/** RFC 3161 section 2.3: the extended key usage is critical and holds id-kp-timeStamping alone. */
function purposeFault({ certificate }: HeldCertificate): string | undefined {
  const usage = extendedKeyUsage(certificate);
  if (usage === undefined || !usage.purposes.includes(TIME_STAMPING)) {
    return 'the certificate is not for time-stamping (extended key usage)';
  }
  if (usage.purposes.length > 1) return 'the certificate is for other purposes beside time-stamping';
  if (!usage.critical) return 'the extended key usage of the certificate is not critical';
  return mayBeUsedToSign(certificate) ? undefined : 'the key of the certificate may not sign (key usage)';
}

async function reportChain(
  { genTime }: DecodedToken,
  signer: HeldCertificate,
  intermediates: readonly HeldCertificate[],
  roots: readonly HeldCertificate[],
  findings: Findings,
): Promise<void> {
  const bare = ({ certificate }: HeldCertificate) => certificate;
  const { path, fault, validityFault } = await checkChain({
    leaf: signer.certificate,
    intermediates: intermediates.map(bare),
    roots: roots.map(bare),
    at: genTime,
  });
  const root = path?.at(-1);
  findings.add('chain', fault, `The certificate leads to the given root ${root ? subjectName(root) : ''}.`);
  if (path === undefined)
    return findings.notChecked('validity', 'Without a chain there is no period to check.');
  findings.add('validity', validityFault, `All certificates were valid at ${genTime.toISOString()}.`);
}

function messageOf(error: unknown): string {
  if (error instanceof TlogError) return error.message;
  throw error;
}
