import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  BasicConstraintsExtension,
  ExtendedKeyUsageExtension,
  Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';
import { Certificate, GeneralName, GeneralSubtree, NameConstraints, RelativeDistinguishedNames } from 'pkijs';
import { checkChain } from './certificate-chain.js';

const ECDSA_P256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const YEAR_MS = 31_536_000_000;
const at = new Date('2026-06-01T00:00:00Z');
const CODE_SIGNING = '1.3.6.1.5.5.7.3.3';
const CA = [new BasicConstraintsExtension(true, undefined, true)];

interface Party {
  readonly name: string;
  readonly keys: webcrypto.CryptoKeyPair;
}
const party = async (name: string): Promise<Party> => ({
  name,
  keys: await webcrypto.subtle.generateKey(ECDSA_P256, true, ['sign', 'verify']),
});

/** A certificate for one party by another one, valid for a year around `at` unless it is said otherwise. */
async function certify(
  subject: Party,
  issuer: Party,
  extensions: Extension[] = CA,
  begin = new Date(at.getTime() - YEAR_MS / 2),
): Promise<Certificate> {
  const certificate = await X509CertificateGenerator.create(
    {
      subject: `CN=${subject.name}`,
      issuer: `CN=${issuer.name}`,
      notBefore: begin,
      notAfter: new Date(begin.getTime() + YEAR_MS),
      signingAlgorithm: ECDSA_P256,
      publicKey: subject.keys.publicKey,
      signingKey: issuer.keys.privateKey,
      extensions,
    },
    webcrypto,
  );
  return Certificate.fromBER(certificate.rawData);
}

let root: Party;
let middle: Party;
let signer: Party;
let rootCertificate: Certificate;
let leaf: Certificate;
beforeAll(async () => {
  [root, middle, signer] = await Promise.all([party('root'), party('middle'), party('signer')]);
  rootCertificate = await certify(root, root);
  leaf = await certify(signer, middle, []);
});

const check = (intermediates: Certificate[], roots = [rootCertificate]) =>
  checkChain({ leaf, intermediates, roots, at });

describe('checkChain', () => {
  it('finds the way to the root whatever else is given', async () => {
    const right = await certify(middle, root);
    const { path, fault, validityFault } = await check([leaf, await certify(middle, signer), right]);
    expect({ fault, validityFault }).toEqual({});
    expect(path).toEqual([leaf, right, rootCertificate]);
  });

  it('prefers a way that holds at the time over one that has ended', async () => {
    const ended = await certify(middle, root, CA, new Date('2020-01-01T00:00:00Z'));
    expect(await check([ended])).toMatchObject({
      validityFault: expect.stringContaining('middle ended'),
    });
    expect(await check([ended, await certify(middle, root)])).not.toHaveProperty('validityFault');
  });

  it('wants the root valid at the time as well', async () => {
    const young = await certify(root, root, CA, new Date('2026-07-01T00:00:00Z'));
    expect(await check([await certify(middle, root)], [young])).toMatchObject({
      validityFault: expect.stringContaining('root begins only'),
    });
  });

  it('ends with authorities that certify each other in circles, and with dozens of one name', async () => {
    const other = await party('other');
    const circle = [await certify(middle, other), await certify(other, middle)];
    expect(await check(circle)).toEqual({
      fault: expect.stringContaining('none of the given roots'),
    });
    const crowd = await Promise.all(
      Array.from({ length: 30 }, async () => certify(middle, { ...root, keys: (await party('root')).keys })),
    );
    expect(await check(crowd)).toEqual({
      fault: expect.stringContaining('none of the given roots'),
    });
  });

  it('trusts no certificate because it is given as its own root', async () => {
    expect(await check([], [leaf])).toEqual({
      fault: expect.stringContaining('none of the given'),
    });
  });

  it.each<[string, Extension[], RegExp]>([
    ['no basic constraints', [], /not one of a certification authority/],
    ['no right to sign certificates', [...CA, new KeyUsagesExtension(KeyUsageFlags.cRLSign)], /may not sign/],
    ['other purposes', [...CA, new ExtendedKeyUsageExtension([CODE_SIGNING])], /limited to other purposes/],
    ['an extension twice', [...CA, ...CA], /an extension twice/],
  ])('refuses an intermediate with %s', async (_, extensions, words) => {
    expect((await check([await certify(middle, root, extensions)])).fault).toMatch(words);
  });

  it('obeys an authority that limits the names below it', async () => {
    const limited = async (name: string): Promise<Certificate> => {
      const { subject } = await certify(await party(name), root);
      const value = new RelativeDistinguishedNames({ schema: subject.toSchema() });
      const subtree = new GeneralSubtree({ base: new GeneralName({ type: 4, value }) });
      const der = new NameConstraints({ excludedSubtrees: [subtree] }).toSchema().toBER();
      return certify(middle, root, [...CA, new Extension('2.5.29.30', true, der)]);
    };
    expect((await check([await limited('signer')])).fault).toMatch(/chain of certificates/);
    expect(await check([await limited('somebody else')])).not.toHaveProperty('fault');
  });
});
