import { execFileSync } from 'node:child_process';
import { createPublicKey, X509Certificate } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ClaimAuthority } from '../../testing/claim-authority.js';
import { SIGNING_ALGORITHMS } from '../../domain/signing-algorithm.js';
import { certificateRequest } from './certificate-request.js';
import { readCertificateChain } from './certificate-profiles.js';
import { FileSigningKeys } from './file/file-signing-keys.js';

const SUBJECT = 'C=DE, O=Example GmbH, CN=Example Media';

let folder: string;
let authority: ClaimAuthority;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'colophon-certificates-'));
  authority = ClaimAuthority.create(join(folder, 'authority'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function key(name: string, algorithm: (typeof SIGNING_ALGORITHMS)[number] = 'es256') {
  const files = new FileSigningKeys(folder);
  const reference = { scheme: 'file', path: `${name}.pem` } as const;
  await files.create(reference, algorithm);
  return files.open(reference);
}

describe('a certificate request', () => {
  it.each(SIGNING_ALGORITHMS)(
    'for %s is one that openssl verifies, and asks for what C2PA wants',
    async (algorithm) => {
      const signingKey = await key(`csr-${algorithm}`, algorithm);
      const file = join(folder, `${algorithm}.csr`);
      await writeFile(file, await certificateRequest(signingKey, 'claim', SUBJECT));
      const args = ['req', '-in', file, '-noout', '-verify', '-text', '-pubkey'];
      const text = execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'pipe'] }).toString();
      expect(text).toMatch(/Subject: C ?= ?DE, O ?= ?Example GmbH, CN ?= ?Example Media/);
      expect(text).toMatch(/Digital Signature, Non Repudiation/);
      expect(text).toMatch(/1\.3\.6\.1\.4\.1\.62558\.2\.1, 1\.3\.6\.1\.5\.5\.7\.3\.36/);
      const pem = /-----BEGIN PUBLIC KEY-----[^-]+-----END PUBLIC KEY-----/.exec(text)?.[0] ?? '';
      const shown = createPublicKey(pem).export({ type: 'spki', format: 'der' });
      expect(shown.equals(signingKey.publicKey)).toBe(true);
    },
  );

  it.each(['', 'Example', 'O=Example', 'CN=', `CN=${'a'.repeat(600)}`])(
    'is not made for the subject "%s"',
    async (subject) => {
      const files = new FileSigningKeys(folder);
      const reference = { scheme: 'file', path: 'csr-es256.pem' } as const;
      await expect(certificateRequest(await files.open(reference), 'claim', subject)).rejects.toMatchObject({
        code: 'invalid_request',
      });
    },
  );
});

describe('a chain that an authority issued', () => {
  const read = (pem: string, purpose: 'claim' | 'report' = 'claim') =>
    readCertificateChain(pem, purpose, new Date());
  const refused = (detail: RegExp) =>
    expect.objectContaining({
      code: 'invalid_request',
      message: expect.stringMatching(detail) as unknown,
    }) as unknown;
  const failure = (work: () => unknown): unknown => {
    try {
      return work();
    } catch (error) {
      return error;
    }
  };
  let request: string;
  let chain: string;
  beforeAll(async () => {
    request = await certificateRequest(await key('chain'), 'claim', SUBJECT);
    chain = authority.issue(request);
  });

  it('is taken with its times and hashes', () => {
    const leaf = new X509Certificate(chain);
    const { certificate, spkiSha256, development } = read(chain);
    expect(certificate.sha256).toBe(leaf.fingerprint256.replaceAll(':', '').toLowerCase());
    expect(certificate.notAfter).toEqual(new Date(leaf.validTo));
    expect(spkiSha256).toMatch(/^[0-9a-f]{64}$/);
    expect(development).toBe(false);
  });

  it('is refused out of order, without its root, with another root, or as an authority', () => {
    const [leaf = '', issuing = '', root = ''] =
      chain.match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----\n/g) ?? [];
    const other = ClaimAuthority.create(join(folder, 'other'));
    const [, , otherRoot = ''] =
      other.issue(request).match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----\n/g) ?? [];
    expect(failure(() => read(leaf + root + issuing))).toEqual(refused(/was not issued by certificate 2/));
    expect(failure(() => read(leaf + issuing))).toEqual(refused(/self-signed root/));
    expect(failure(() => read(leaf + issuing + otherRoot))).toEqual(
      refused(/was not issued by certificate 3/),
    );
    expect(failure(() => read(issuing + root))).toEqual(refused(/that of an authority/));
    expect(failure(() => read(leaf + leaf))).toEqual(refused(/not one of an authority/));
    expect(failure(() => read(''))).toEqual(refused(/no certificate/));
    expect(failure(() => read(leaf.replace(/\n[A-Za-z0-9+/]{64}/, '\nAAAA')))).toEqual(
      refused(/cannot be read/),
    );
  });

  it.each([
    ['extendedKeyUsage=1.3.6.1.5.5.7.3.36', /c2pa-kp-claimSigning/],
    ['extendedKeyUsage=1.3.6.1.4.1.62558.2.1', /documentSigning or emailProtection/],
    ['extendedKeyUsage=anyExtendedKeyUsage,1.3.6.1.4.1.62558.2.1,emailProtection', /any purpose/],
    ['keyUsage=digitalSignature', /critical key usage/],
    ['keyUsage=critical,keyEncipherment', /critical key usage/],
    ['keyUsage=critical,digitalSignature,keyCertSign', /may sign certificates/],
    ['basicConstraints=critical,CA:TRUE', /that of an authority/],
  ])('is refused with %s', (extension, detail) => {
    expect(failure(() => read(authority.issue(request, { extension })))).toEqual(refused(detail));
  });

  it('is refused before its time and after it', () => {
    const { notBefore, notAfter } = read(chain).certificate;
    const early = new Date(notBefore.getTime() - 1000);
    expect(failure(() => readCertificateChain(chain, 'claim', early))).toEqual(refused(/valid only from/));
    expect(failure(() => readCertificateChain(chain, 'claim', notAfter))).toEqual(refused(/ended on/));
  });

  it('for claims is not one for reports, and the other way', () => {
    expect(failure(() => read(chain, 'report'))).toEqual(refused(/one of its own/));
    const report = authority.issue(request, { extension: 'extendedKeyUsage=1.3.6.1.5.5.7.3.36' });
    expect(read(report, 'report').certificate.sha256).toMatch(/^[0-9a-f]{64}$/);
  });
});
