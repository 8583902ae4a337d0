import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { OctetString } from 'asn1js';
import { AlgorithmIdentifier, MessageImprint } from 'pkijs';
import { AuthorityKeys } from '../../../test/fakes/time-stamp-authority/authority-keys.js';
import { makeToken } from '../../../test/fakes/time-stamp-authority/make-token.js';
import { sha256Hex } from '../../shared/bytes.js';
import { type MediaVerification } from '../domain/media-verifier.port.js';
import { logStanding } from '../domain/log-standing.js';
import {
  type OnlyCertificates,
  OWN_TRUST_LIST,
  type TrustList,
  type TrustPurpose,
} from '../domain/trust-list.js';
import { createFreeAuthority, type FreeAuthority, signFreely } from '../testing/free-signer.js';
import { type MediaFile, SigningWorkshop } from '../testing/signing-workshop.js';
import { C2paReader } from './c2pa-reader.js';
import { readManifestStore } from './carried-store.js';
import { findingsFor, SignatureReading } from './signature-findings.js';

const HOUR_MS = 3_600_000;
const SHA_256 = '2.16.840.1.101.3.4.2.1';

let workshop: SigningWorkshop;
let authority: FreeAuthority;
let expired: FreeAuthority;
let stamps: AuthorityKeys;
let plain: MediaFile;
let stamped: MediaFile;
let stampedBeforeEnd: MediaFile;

beforeAll(async () => {
  workshop = await SigningWorkshop.create();
  stamps = await AuthorityKeys.create();
  authority = await createFreeAuthority();
  expired = await createFreeAuthority({ notAfter: new Date(Date.now() - HOUR_MS) });
  plain = await sign(authority);
  stamped = await sign(authority, new Date(Date.now() - HOUR_MS / 2));
  stampedBeforeEnd = await sign(expired, new Date(Date.now() - 2 * HOUR_MS));
});
afterAll(() => workshop.close());

async function sign(by: FreeAuthority, stampedAt?: Date): Promise<MediaFile> {
  const stamp = stampedAt && ((message: Uint8Array) => token(message, stampedAt));
  return signFreely(await workshop.picture(), workshop.newPath(), by, { title: 'Of a stranger' }, stamp);
}

async function token(message: Uint8Array, genTime: Date): Promise<Uint8Array> {
  const hashedMessage = new OctetString({ valueHex: createHash('sha256').update(message).digest() });
  const hashAlgorithm = new AlgorithmIdentifier({ algorithmId: SHA_256 });
  const request = {
    messageImprint: new MessageImprint({ hashAlgorithm, hashedMessage }),
    certReq: true,
    genTime,
  };
  return makeToken(request, await stamps.identity());
}

function list(
  name: string,
  purpose: TrustPurpose,
  anchorsPem: string,
  dates: Partial<TrustList> = {},
): TrustList {
  const undated = { issuedAt: undefined, nextUpdateAt: undefined, loadedAt: '2026-01-01T00:00:00Z' };
  return { name, purpose, source: 'test', ...undated, sha256: sha256Hex(anchorsPem), anchorsPem, ...dates };
}

function verify(file: MediaFile, ...lists: TrustList[]): Promise<MediaVerification> {
  return new C2paReader({ trust: undefined, lists }).verify(file);
}

const codes = ({ statuses }: MediaVerification): string[] => statuses.map(({ code }) => code);

describe('who signed', () => {
  it('is trusted by the list that holds the authority, as of the date of that list', async () => {
    const dates = { issuedAt: '2026-08-05T00:00:00.000Z', nextUpdateAt: '2999-01-01T00:00:00.000Z' };
    const result = await verify(
      plain,
      list('others', 'signers', workshop.keystore.caCertificatePem),
      list('agency', 'signers', authority.caPem, dates),
    );
    expect(result).toMatchObject({
      verdict: 'intact_and_trusted',
      trustedBy: 'agency',
      signer: { subject: 'Somebody signing, Somebody', list: { ...dates, name: 'agency', isStale: false } },
      chain: { signer: { trustedBy: 'agency' } },
    });
    expect(codes(result)).toContain('signingCredential.trusted');
    expect(result.sentences[1]).toContain('trusted by agency of 2026-08-05');
    expect(result.sentences.join(' ')).toContain('Whether a certificate was revoked was not looked up');
  });

  it('is trusted by a list that is out of date, and the answer says that it is', async () => {
    const dates = { issuedAt: '2020-01-01T00:00:00.000Z', nextUpdateAt: '2021-01-01T00:00:00.000Z' };
    const result = await verify(plain, list('agency', 'signers', authority.caPem, dates));
    expect(result.signer?.list).toMatchObject({ isStale: true });
    expect(result.sentences.join(' ')).toContain('out of date since 2021-01-01');
  });

  it('is trusted when the certificate itself is on the list', async () => {
    const leaf = Buffer.from(authority.chain[0] ?? '').toString('base64');
    const leafPem = `-----BEGIN CERTIFICATE-----\n${leaf}\n-----END CERTIFICATE-----\n`;
    expect((await verify(plain, list('pinned', 'signers', leafPem))).trustedBy).toBe('pinned');
  });

  const CLAIMS = '1.3.6.1.4.1.62558.2.1';
  it.each([
    ['time-stamping, too', { purposes: [CLAIMS, '1.3.6.1.5.5.7.3.8'] }],
    ['answers on revocation, too', { purposes: [CLAIMS, '1.3.6.1.5.5.7.3.9'] }],
    ['everything', { purposes: [CLAIMS, '2.5.29.37.0'] }],
    ['issuing certificates', { isAuthority: true }],
  ])('is nobody we trust when the certificate is for %s', async (_what, options) => {
    const broad = await createFreeAuthority(options);
    const file = await signFreely(
      await workshop.picture(),
      workshop.newPath(),
      broad,
      {},
      undefined,
      authority,
    );
    const { verdict, signer, chain } = await verify(file, list('agency', 'signers', broad.caPem));
    expect(verdict).not.toBe('intact_and_trusted');
    expect(signer).toMatchObject({ list: undefined });
    expect(chain?.signer?.trustedBy).toBeUndefined();
  });

  it('is a stranger when only a list of time-stamp authorities holds the authority', async () => {
    const result = await verify(stamped, list('time', 'time_stamps', authority.caPem));
    expect(result).toMatchObject({ verdict: 'intact', trustedBy: 'no list', signer: { list: undefined } });
    expect(codes(result)).toContain('signingCredential.untrusted');
    expect(codes(result)).not.toContain('signingCredential.trusted');
  });
});

describe('an installation whose certificate comes from a public authority', () => {
  const leafOf = ({ chain }: FreeAuthority): string => sha256Hex(chain[0] ?? Buffer.alloc(0));
  /** As InstallationTrust hands it out: the root that everybody else under it has too, and our own certificates. */
  const installation = (certificates: OnlyCertificates, anchorsPem = authority.caPem) =>
    new C2paReader({ trust: { name: OWN_TRUST_LIST, anchorsPem, certificates } });
  const ours = (): OnlyCertificates => ({ trusted: [leafOf(authority)], ever: [leafOf(authority)] });

  it('knows its own files, and nobody else’s under the same root, whatever name they write', async () => {
    const twin = await createFreeAuthority({ under: authority });
    const theirs = await sign(twin);
    const reader = installation(ours());
    expect(await reader.verify(plain)).toMatchObject({
      verdict: 'intact_and_trusted',
      trustedBy: OWN_TRUST_LIST,
      claims: [{ isOurCertificate: true }],
    });
    const foreign = await reader.verify(theirs);
    expect(foreign).toMatchObject({
      verdict: 'intact',
      trustedBy: 'no list',
      signer: { list: undefined, isOurs: false },
      claims: [{ isOurCertificate: false, trustedBy: undefined }],
    });
    // A list that trusts the authority trusts its customers: as signers, not as us.
    const agency = list('agency', 'signers', authority.caPem);
    const trust = { name: OWN_TRUST_LIST, anchorsPem: authority.caPem, certificates: ours() };
    const both = await new C2paReader({ trust, lists: [agency] }).verify(theirs);
    expect(both).toMatchObject({ trustedBy: 'agency', claims: [{ isOurCertificate: false }] });
  });

  it('is not forged by a certificate of the same name and number under another root', async () => {
    const impostor = await createFreeAuthority();
    const result = await installation(ours()).verify(await sign(impostor));
    expect(result).toMatchObject({ verdict: 'intact', claims: [{ isOurCertificate: false }] });
  });

  it('trusts nothing of a certificate that was given up, and still sees that it speaks in its name', async () => {
    const given = { trusted: [], ever: [leafOf(authority)] };
    for (const anchorsPem of [authority.caPem, '']) {
      const result = await installation(given, anchorsPem).verify(plain);
      expect(result).toMatchObject({
        verdict: 'intact',
        trustedBy: 'no list',
        claims: [{ isOurCertificate: true, trustedBy: undefined }],
      });
      const standing = logStanding(result, {
        file: undefined,
        claims: new Map(),
        labels: new Set(),
        namesOurLog: false,
      });
      expect(standing).toMatchObject({ status: 'forged', misusedKey: { isOurCertificate: true } });
    }
    // The next key under the same root is good, and does not bring the old one back.
    const next = await createFreeAuthority({ under: authority });
    const reader = installation({ trusted: [leafOf(next)], ever: [leafOf(authority), leafOf(next)] });
    expect((await reader.verify(await sign(next))).verdict).toBe('intact_and_trusted');
    expect((await reader.verify(plain)).verdict).toBe('intact');
  });

  it('does not call a stranger its own who pastes its certificate beside his', async () => {
    const thief = await createFreeAuthority();
    const pasted = { chain: [...authority.chain], key: thief.key };
    const file = await signFreely(await workshop.picture(), workshop.newPath(), pasted, { title: 'x' });
    const result = await installation(ours())
      .verify(file)
      .catch(() => undefined);
    expect(result?.verdict ?? 'broken').toBe('broken');
    const behind = { chain: [...thief.chain, ...authority.chain], key: thief.key };
    const other = await signFreely(await workshop.picture(), workshop.newPath(), behind, { title: 'x' });
    const second = await installation(ours())
      .verify(other)
      .catch(() => undefined);
    expect(second?.verdict).not.toBe('intact_and_trusted');
    expect(second?.claims.map(({ isOurCertificate }) => isOurCertificate) ?? []).not.toContain(true);
  });
});

describe('a store that reads in two ways', () => {
  it('makes nobody trusted: of two manifests with one name, neither speaks for the file', async () => {
    const { store } = await readManifestStore(plain.path);
    const agency = list('agency', 'signers', authority.caPem);
    const label = (await verify(plain, agency)).chain?.manifestLabel;
    const reading = new SignatureReading([agency], { now: () => new Date() });
    const manifests = (store ?? Buffer.alloc(0)).subarray(8 + (store ?? Buffer.alloc(0)).readUInt32BE(8));
    const doubled = Buffer.concat([store ?? Buffer.alloc(0), manifests]);
    doubled.writeUInt32BE(doubled.length, 0);
    const serialNumber = '2';
    const read = async (bytes: Buffer | undefined, active: Parameters<typeof findingsFor>[1]) =>
      findingsFor(await reading.read(bytes ?? Buffer.alloc(0)), active);
    expect((await read(store, { label, serialNumber })).signer?.list?.name).toBe('agency');
    expect((await read(doubled, { label, serialNumber })).signer).toBeUndefined();
    expect((await read(store, { label: 'other', serialNumber })).signer).toBeUndefined();
    const other = await read(store, { label, serialNumber: '3' });
    expect(other.signer).toMatchObject({
      list: undefined,
      notTrustedBecause: expect.stringContaining('two ways') as unknown,
    });
  });
});

describe('when it was signed', () => {
  it('is a time by an authority on a list for time-stamps', async () => {
    const result = await verify(stamped, list('time', 'time_stamps', stamps.rootPem));
    expect(result.timeStamp).toMatchObject({ status: 'trusted', list: { name: 'time' } });
    expect(result).toMatchObject({ verdict: 'intact', trustedBy: 'no list' });
  });

  it('is only a claim when the authority is on a list for signers, or on none', async () => {
    for (const lists of [[list('signers', 'signers', stamps.rootPem)], []]) {
      const result = await verify(stamped, ...lists);
      expect(result.timeStamp).toMatchObject({ status: 'untrusted', list: undefined });
      expect(codes(result)).not.toContain('timeStamp.trusted');
    }
    expect((await verify(plain)).timeStamp?.status).toBe('none');
  });

  it('keeps a signer trusted whose certificate has ended since', async () => {
    const agency = list('agency', 'signers', expired.caPem);
    const result = await verify(stampedBeforeEnd, agency, list('time', 'time_stamps', stamps.rootPem));
    expect(result).toMatchObject({ verdict: 'intact_and_trusted', trustedBy: 'agency' });
  });

  it('does not, when that authority is only trusted to vouch for signers', async () => {
    const agency = list('agency', 'signers', expired.caPem);
    const result = await verify(stampedBeforeEnd, agency, list('others', 'signers', stamps.rootPem));
    expect(result.trustedBy).not.toBe('agency');
    expect(result.signer?.list).toBeUndefined();
    expect(result.signer?.notTrustedBecause).toMatch(/ended at/);
  });

  it('is unknown when the token is about another signature', async () => {
    const other = await signFreely(
      await workshop.picture(),
      workshop.newPath(),
      authority,
      { title: 'x' },
      () => token(Buffer.from('something else'), new Date()),
    );
    const result = await verify(other, list('time', 'time_stamps', stamps.rootPem));
    expect(result.timeStamp?.status).toBe('invalid');
    expect(result.sentences.join(' ')).toContain('it proves no time');
  });
});

describe('where it broke', () => {
  it('names the ingredient, the part and the status, although the file itself is intact', async () => {
    const bytes = await readFile(plain.path);
    const at = bytes.length - 40;
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    const damaged = { ...plain, path: await workshop.write(bytes) };
    const file = await workshop.sign(damaged, undefined, 'received_with_declaration');
    const result = await workshop.verify(file);
    expect(result).toMatchObject({ verdict: 'intact_and_trusted', brokenIngredient: true });
    expect(result.breaks[0]).toMatchObject({
      in: 'ingredient',
      path: [0],
      relationship: 'parentOf',
      code: 'assertion.dataHash.mismatch',
      part: 'c2pa.hash.data',
      meaning: expect.stringContaining('does not match the manifest') as unknown,
    });
  });
});
