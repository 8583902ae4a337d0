import 'reflect-metadata';
import { type webcrypto, X509Certificate as NodeCertificate } from 'node:crypto';
import {
  BasicConstraintsExtension,
  ExtendedKeyUsageExtension,
  Extension,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';
import { GeneralName, GeneralSubtree, NameConstraints } from 'pkijs';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { DOCUMENT_SIGNING, IdentityAnchors } from './identity-chain.js';

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

const mail = (address: string) => new SubjectAlternativeNameExtension([{ type: 'email', value: address }]);

/** nameConstraints (RFC 5280 section 4.2.1.10): e-mail addresses of one host, type 1 of GeneralName. */
function onlyMailOf(host: string): Extension {
  const base = new GeneralName({ type: 1, value: host });
  const constraints = new NameConstraints({ permittedSubtrees: [new GeneralSubtree({ base })] });
  return new Extension('2.5.29.30', true, constraints.toSchema().toBER());
}

describe('who vouches for a name', () => {
  let root: Held;
  let person: Held;
  beforeAll(async () => {
    root = await issue('Registry', undefined, [authority]);
    person = await issue('Ada', root, [names]);
  });
  const leads = (chain: readonly Held[], anchor: Held, at = NOW) =>
    new IdentityAnchors([anchor.certificate]).vouchFor(
      chain.map(({ certificate }) => certificate),
      at,
    );

  it('is an authority on the list, directly or through one of its own, while all are valid', async () => {
    const below = await issue('Registry of Artists', root, [authority, names]);
    const open = await issue('Registry of all', root, [authority]);
    for (const by of [below, open])
      expect(await leads([await issue('Bo', by, [names]), by], root)).toBe(true);
    expect(await leads([person], root)).toBe(true);
    expect(await leads([person], root, new Date(NOW.getTime() + 2 * DAY_MS))).toBe(false);
  });

  it('is the list itself for a person who is on it, and that person vouches for nobody else', async () => {
    expect(await leads([person], person)).toBe(true);
    const forged = await issue('Somebody Famous', person, [names]);
    expect(await leads([forged, person], person)).toBe(false);
    expect(await leads([forged], person)).toBe(false);
    expect(await leads([forged, person], root)).toBe(false);
  });

  it('is no authority for web servers, although the same root stands above it', async () => {
    const servers = await issue('Web CA', root, [
      authority,
      new ExtendedKeyUsageExtension([SERVER_AUTHENTICATION]),
    ]);
    expect(await leads([await issue('Somebody Famous', servers, [names]), servers], root)).toBe(false);
  });

  it('is an authority only for as many authorities below it as it allows', async () => {
    const last = await issue('Registry of last resort', root, [
      new BasicConstraintsExtension(true, 0, true),
      names,
    ]);
    expect(await leads([await issue('Bo', last, [names]), last], root)).toBe(true);
    const beyond = await issue('Registry beyond', last, [authority, names]);
    const forged = await issue('Somebody Famous', beyond, [names]);
    expect(await leads([forged, beyond, last], root)).toBe(false);
    expect(await leads([forged, beyond, last], last)).toBe(false);
  });

  it('is an authority only for the names that it is allowed', async () => {
    const artists = await issue('Registry of Artists', root, [
      authority,
      names,
      onlyMailOf('artists.example'),
    ]);
    const member = await issue('Bo', artists, [names, mail('bo@artists.example')]);
    const stranger = await issue('Somebody Famous', artists, [names, mail('famous@studio.example')]);
    expect(await leads([member, artists], root)).toBe(true);
    expect(await leads([stranger, artists], root)).toBe(false);
  });

  it('is no authority that says something critical which nobody here understands', async () => {
    const strange = await issue('Registry of Riddles', root, [
      authority,
      names,
      new Extension('1.3.6.1.4.1.99999.1', true, Uint8Array.of(5, 0)),
    ]);
    expect(await leads([await issue('Bo', strange, [names]), strange], root)).toBe(false);
  });

  it('is nobody of the same name with another key', async () => {
    const double = await issue('Registry', undefined, [authority]);
    expect(await leads([await issue('Ada', double, [names]), double], root)).toBe(false);
  });
});
