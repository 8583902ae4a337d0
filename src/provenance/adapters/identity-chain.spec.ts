import 'reflect-metadata';
import { type webcrypto, X509Certificate as NodeCertificate } from 'node:crypto';
import {
  BasicConstraintsExtension,
  ExtendedKeyUsageExtension,
  type Extension,
  X509CertificateGenerator,
} from '@peculiar/x509';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { DOCUMENT_SIGNING, leadsToAnchor } from './identity-chain.js';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const SERVER_AUTHENTICATION = '1.3.6.1.5.5.7.3.1';
const NOW = new Date();
const DAY_MS = 86_400_000;

interface Held {
  readonly name: string;
  readonly keys: webcrypto.CryptoKeyPair;
  readonly certificate: NodeCertificate;
}

async function issue(name: string, by: Held | undefined, extensions: Extension[]): Promise<Held> {
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const made = await X509CertificateGenerator.create({
    subject: `CN=${name}`,
    issuer: `CN=${by?.name ?? name}`,
    notBefore: new Date(NOW.getTime() - DAY_MS),
    notAfter: new Date(NOW.getTime() + DAY_MS),
    publicKey: keys.publicKey,
    signingKey: (by?.keys ?? keys).privateKey,
    signingAlgorithm: ALGORITHM,
    extensions,
  });
  return { name, keys, certificate: new NodeCertificate(Buffer.from(made.rawData)) };
}

const authority = new BasicConstraintsExtension(true, undefined, true);
const names = new ExtendedKeyUsageExtension([DOCUMENT_SIGNING]);

describe('who vouches for a name', () => {
  let root: Held;
  let person: Held;
  beforeAll(async () => {
    root = await issue('Registry', undefined, [authority]);
    person = await issue('Ada', root, [names]);
  });
  const leads = (chain: readonly Held[], anchor: Held, at = NOW) =>
    leadsToAnchor(
      chain.map(({ certificate }) => certificate),
      [anchor.certificate],
      at,
    );

  it('is an authority on the list, directly or through one of its own, while all are valid', async () => {
    const below = await issue('Registry of Artists', root, [authority, names]);
    const open = await issue('Registry of all', root, [authority]);
    for (const by of [below, open]) expect(leads([await issue('Bo', by, [names]), by], root)).toBe(true);
    expect(leads([person], root)).toBe(true);
    expect(leads([person], root, new Date(NOW.getTime() + 2 * DAY_MS))).toBe(false);
  });

  it('is the list itself for a person who is on it, and that person vouches for nobody else', async () => {
    expect(leads([person], person)).toBe(true);
    const forged = await issue('Somebody Famous', person, [names]);
    expect(leads([forged, person], person)).toBe(false);
    expect(leads([forged], person)).toBe(false);
    expect(leads([forged, person], root)).toBe(false);
  });

  it('is no authority for web servers, although the same root stands above it', async () => {
    const servers = await issue('Web CA', root, [
      authority,
      new ExtendedKeyUsageExtension([SERVER_AUTHENTICATION]),
    ]);
    expect(leads([await issue('Somebody Famous', servers, [names]), servers], root)).toBe(false);
  });

  it('is nobody of the same name with another key', async () => {
    const double = await issue('Registry', undefined, [authority]);
    expect(leads([await issue('Ada', double, [names]), double], root)).toBe(false);
  });
});
