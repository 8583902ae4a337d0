import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { readConfiguration } from '../config/configuration.js';
import { ownIdentityLists } from '../provenance/adapters/own-identity-lists.js';
import { TrustStore } from '../provenance/adapters/trust-store.js';
import { type TrustList as KeptTrustList } from '../provenance/domain/trust-list.js';
import { sha256Hex } from '../shared/bytes.js';
import { readBounded } from './bounded-file.js';
import { printable } from './printable.js';
import { Unusable } from './exit-code.js';

/** Certificate authorities whose signers count as known. */
export interface TrustList {
  /** How sentences call it. */
  readonly name: string;
  readonly path: string;
  /** It is the authority of the installation in COLOPHON_HOME. */
  readonly own: boolean;
  readonly anchorsPem: string;
}

const MAX_TRUST_BYTES = 2 * 1024 * 1024;
const CERTIFICATE_HEADER = /^-----BEGIN CERTIFICATE-----/m;
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** The list that the user names. @throws Unusable when it cannot be read as certificates */
export async function readTrustList(path: string): Promise<TrustList> {
  const bytes = await readBounded(path, MAX_TRUST_BYTES).catch(() => {
    throw new Unusable(`the trust list ${printable(path)} cannot be read`);
  });
  if (bytes === undefined) throw new Unusable('the trust list is larger than 2 MiB');
  const anchorsPem = bytes.toString('latin1');
  if (certificatesIn(anchorsPem).length === 0) {
    const what = CERTIFICATE_HEADER.test(anchorsPem)
      ? 'has a certificate that cannot be read, so none of it is used'
      : 'holds no PEM certificate';
    throw new Unusable(`the trust list ${printable(path)} ${what}`);
  }
  return { name: `the list ${printable(basename(path))}`, path, own: false, anchorsPem };
}

/** The authority of the installation in COLOPHON_HOME, when there is one that this account may read. */
export async function ownTrustList(environment: NodeJS.ProcessEnv): Promise<TrustList | undefined> {
  const { home } = readConfiguration({ COLOPHON_HOME: environment.COLOPHON_HOME });
  const path = join(home, 'keys', 'claim-ca.pem');
  const anchorsPem = await readFile(path, 'latin1').catch(() => undefined);
  if (anchorsPem === undefined || certificatesIn(anchorsPem).length === 0) return undefined;
  return { name: 'this installation', path, own: true, anchorsPem };
}

/**
 * Who vouches for names: the file that the user names, and the development authority of the installation in
 * COLOPHON_HOME, when there is one that this account may read.
 * @throws Unusable when the named file cannot be read as certificates
 */
export async function namesTrustedBy(
  path: string | undefined,
  environment: NodeJS.ProcessEnv,
): Promise<KeptTrustList[]> {
  const { home } = readConfiguration({ COLOPHON_HOME: environment.COLOPHON_HOME });
  const ownPem = await readFile(join(home, 'keys', 'identity-ca.pem'), 'latin1').catch(() => undefined);
  const own = ownPem !== undefined && certificatesIn(ownPem).length > 0 ? ownIdentityLists(ownPem) : [];
  if (path === undefined) return own;
  const { name, anchorsPem } = await readTrustList(path);
  const undated = { issuedAt: undefined, nextUpdateAt: undefined, loadedAt: '' };
  const given = { name, purpose: 'identities', source: path, ...undated } as const;
  return [{ ...given, anchorsPem, sha256: sha256Hex(anchorsPem) }, ...own];
}

/**
 * The C2PA lists, and those that the user keeps in COLOPHON_HOME.
 * @throws Unusable when one of them cannot be read: signers would be strangers for no reason that anybody sees
 */
export function keptTrustLists(environment: NodeJS.ProcessEnv): readonly KeptTrustList[] {
  const { home } = readConfiguration({ COLOPHON_HOME: environment.COLOPHON_HOME });
  try {
    return new TrustStore(join(home, 'trust')).lists();
  } catch (error) {
    throw new Unusable(error instanceof Error ? error.message : 'the trust lists cannot be read');
  }
}

/** True when there is at least one certificate, and each is in the list. */
export function isWithin(anchorsPem: string, list: TrustList): boolean {
  const known = new Set(certificatesIn(list.anchorsPem));
  const found = certificatesIn(anchorsPem);
  return found.length > 0 && found.every((fingerprint) => known.has(fingerprint));
}

/** SHA-256 fingerprints. Text that is no certificate gives none. */
function certificatesIn(pem: string): string[] {
  try {
    return (pem.match(CERTIFICATE) ?? []).map((block) => new X509Certificate(block).fingerprint256);
  } catch {
    return [];
  }
}
