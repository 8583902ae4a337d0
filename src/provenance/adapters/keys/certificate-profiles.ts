import 'reflect-metadata';
import { X509Certificate } from 'node:crypto';
import {
  BasicConstraintsExtension,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  X509Certificate as ParsedCertificate,
} from '@peculiar/x509';
import { sha256Hex } from '../../../shared/bytes.js';
import { ColophonError } from '../../../shared/errors.js';
import { type KeyCertificate, type KeyPurpose } from '../../domain/key-generation.js';
import { algorithmOfKey } from '../../domain/signing-algorithm.js';
import { saysDevelopment } from '../../domain/development-certificate.js';
import { CLAIM_SIGNING, DOCUMENT_SIGNING } from '../development-authority.js';

/** id-kp-emailProtection (RFC 5280). */
const EMAIL_PROTECTION = '1.3.6.1.5.5.7.3.4';
const ANY_PURPOSE = '2.5.29.37.0';

const MAX_CHAIN = 6;
const MAX_PEM_CHARACTERS = 65_536;
const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

export interface ReadChain {
  readonly certificate: KeyCertificate;
  readonly spkiSha256: string;
  readonly development: boolean;
}

/**
 * Reads what a certification authority issued and checks it against the C2PA certificate policy as far as readers of
 * manifests insist on it: purposes, usage, validity, no authority as leaf, each certificate issued by the next one, and
 * a self-signed root at the end, which becomes the anchor by which this installation knows its own signatures.
 * @throws ColophonError `invalid_request` that says what is wrong
 */
export function readCertificateChain(pem: string, purpose: KeyPurpose, at: Date): ReadChain {
  const chain = parse(pem);
  const [leaf] = chain;
  if (leaf === undefined) throw refused('There is no certificate in this file.');
  checkLeaf(leaf, purpose);
  checkOrder(chain);
  const notBefore = new Date(leaf.validFrom);
  const notAfter = new Date(leaf.validTo);
  if (at < notBefore) throw refused(`The certificate is valid only from ${notBefore.toISOString()}.`);
  for (const each of chain)
    if (at >= new Date(each.validTo))
      throw refused(`A certificate of the chain ended on ${new Date(each.validTo).toISOString()}.`);
  return {
    certificate: {
      chainPem: chain.map((each) => each.toString()).join(''),
      sha256: sha256Hex(leaf.raw),
      notBefore,
      notAfter,
    },
    spkiSha256: sha256Hex(leaf.publicKey.export({ type: 'spki', format: 'der' })),
    development: saysDevelopment(...chain.map(({ subject }) => subject)),
  };
}

function parse(pem: string): X509Certificate[] {
  if (pem.length > MAX_PEM_CHARACTERS) throw refused('The chain is too long.');
  const texts = pem.match(PEM_CERTIFICATE) ?? [];
  if (texts.length > MAX_CHAIN) throw refused(`The chain has more than ${MAX_CHAIN} certificates.`);
  try {
    return texts.map((text) => new X509Certificate(text));
  } catch (cause) {
    throw refused('A certificate of the chain cannot be read.', cause);
  }
}

function checkLeaf(leaf: X509Certificate, purpose: KeyPurpose): void {
  const parsed = new ParsedCertificate(leaf.raw);
  if (leaf.ca || parsed.getExtension(BasicConstraintsExtension)?.ca === true)
    throw refused('The first certificate is that of an authority. Put the one for the key first.');
  if (algorithmOfKey(leaf.publicKey) === undefined)
    throw refused(
      'The key of the certificate is not on P-256 or P-384, RSA of 2048 to 8192 bits, or Ed25519.',
    );
  const usage = parsed.getExtension(KeyUsagesExtension);
  const signing = KeyUsageFlags.digitalSignature;
  if (usage?.critical !== true || (usage.usages & signing) === 0)
    throw refused('The certificate lacks the critical key usage digitalSignature.');
  if ((usage.usages & (KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign)) !== 0)
    throw refused('The certificate may sign certificates: it is not one for signing claims.');
  const purposes = (parsed.getExtension(ExtendedKeyUsageExtension)?.usages ?? []).map(String);
  checkPurposes(purposes, purpose);
}

function checkPurposes(purposes: readonly string[], purpose: KeyPurpose): void {
  if (purposes.includes(ANY_PURPOSE)) throw refused('The certificate is for any purpose: readers refuse it.');
  const documents = purposes.includes(DOCUMENT_SIGNING) || purposes.includes(EMAIL_PROTECTION);
  if (!documents) throw refused('The certificate lacks the purpose documentSigning or emailProtection.');
  if (purpose === 'claim' && !purposes.includes(CLAIM_SIGNING))
    throw refused(`The certificate lacks the purpose c2pa-kp-claimSigning (${CLAIM_SIGNING}).`);
  if (purpose === 'report' && purposes.includes(CLAIM_SIGNING))
    throw refused('The certificate is for signing claims. The report key gets one of its own.');
}

function checkOrder(chain: readonly X509Certificate[]): void {
  for (const [index, certificate] of chain.entries()) {
    const issuer = chain[index + 1];
    if (issuer === undefined) break;
    if (!issuer.ca) throw refused(`Certificate ${index + 2} of the chain is not one of an authority.`);
    if (!certificate.checkIssued(issuer) || !certificate.verify(issuer.publicKey))
      throw refused(
        `Certificate ${index + 1} of the chain was not issued by certificate ${index + 2}. Leaf first, root last.`,
      );
  }
  const root = chain.at(-1);
  if (chain.length < 2 || root === undefined || !root.checkIssued(root) || !root.verify(root.publicKey))
    throw refused('The chain must end with the self-signed root of the authority. Append it.');
}

function refused(detail: string, cause?: unknown): ColophonError {
  return new ColophonError('invalid_request', detail, cause === undefined ? {} : { cause });
}
