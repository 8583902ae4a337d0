import { execFile } from 'node:child_process';
import { createHash, verify, X509Certificate } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ContentInfo, SignedData } from 'pkijs';
import { pdfaFaults } from '../../../../test/support/pdfa-rules.js';
import { FakeAuthority } from '../../../../test/fakes/time-stamp-authority/fake-authority.js';
import { Rfc3161Authority } from '../../../audit/adapters/rfc3161-authority.js';
import { type SignatureTimeStamping } from '../../../provenance/domain/time-stamping.port.js';
import { systemClock } from '../../../shared/clock.js';
import { DOSSIER_TYPE } from '../../domain/report-kinds.js';
import { type ReportSigner } from '../../domain/report-signature.js';
import { EvidenceWorkshop } from '../../verify/testing/evidence-workshop.js';
import { ReportSigning } from '../../verify/testing/report-signing.js';
import { verifySignedJson } from '../../verify/signed-json.js';
import { renderDossierPdf } from '../dossier-pdf.js';
import { type AssetDossier, type BundleEvidence, type DossierPicture } from '../../domain/dossier.js';

const run = promisify(execFile);
let workshop: EvidenceWorkshop;
let made: { dossier: AssetDossier; evidence: BundleEvidence; pictures: DossierPicture[] };
let authority: FakeAuthority;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'colophon-signing-'));
  workshop = await EvidenceWorkshop.create();
  made = await workshop.build();
  authority = await FakeAuthority.start();
});
afterAll(async () => {
  await authority.stop();
  await workshop.close();
  await rm(folder, { recursive: true, force: true });
});

const stamping = (policy: SignatureTimeStamping['policy']): SignatureTimeStamping => ({
  policy,
  authority: new Rfc3161Authority({
    url: authority.url,
    trust: { rootsPem: authority.rootsPem },
    clock: systemClock,
    outbound: { allowedPrivateHosts: [authority.hostPort] },
  }),
});

async function signedPdf(signer: ReportSigner) {
  const { dossier, evidence, pictures } = made;
  const place = signer.pdfPlace('Report as it was made');
  const dossierJws = await signer.signJson(Buffer.from('{}'), DOSSIER_TYPE);
  return signer.signPdf(await renderDossierPdf({ dossier, pictures, dossierJws, evidence, place }));
}

/** The signature as it stands in the file, and the bytes that it is over. */
function partsOf(pdf: Buffer): { cms: Buffer; covered: Buffer; range: number[] } {
  const text = pdf.toString('latin1');
  const range = (/\/ByteRange \[(\d+) (\d+) (\d+) (\d+) *\]/.exec(text) ?? []).slice(1).map(Number);
  const [a = 0, b = 0, c = 0, d = 0] = range;
  // DER says how long it is; the zeros after it are room.
  const padded = Buffer.from(text.slice(b + 1, c - 1), 'hex');
  const cms = padded.subarray(0, 4 + padded.readUInt16BE(2));
  expect(padded.subarray(cms.length).every((byte) => byte === 0)).toBe(true);
  return { cms, covered: Buffer.concat([pdf.subarray(a, b), pdf.subarray(c, c + d)]), range };
}

/** By OpenSSL, which knows nothing of us. */
async function openssl(pdf: Buffer, anchorsPem: string): Promise<string> {
  const { cms, covered } = partsOf(pdf);
  const path = (name: string): string => join(folder, name);
  await writeFile(path('sig.der'), cms);
  await writeFile(path('content'), covered);
  await writeFile(path('ca.pem'), anchorsPem);
  const { stderr } = await run('openssl', [
    'cms',
    '-verify',
    '-binary',
    '-inform',
    'DER',
    '-in',
    path('sig.der'),
    '-content',
    path('content'),
    '-CAfile',
    path('ca.pem'),
    '-purpose',
    'any',
    '-cades',
    '-out',
    '/dev/null',
    '-attime',
    String(Math.floor(new Date('2026-11-22T10:00:00Z').getTime() / 1000)),
  ]);
  return stderr;
}

describe('a signed report', () => {
  it.each(['es256', 'es384', 'ps256'] as const)(
    'made with %s holds for OpenSSL as CAdES, and covers every byte but itself',
    async (algorithm) => {
      const signing = await ReportSigning.create(new Date('2026-11-22T10:00:00Z'), algorithm);
      const { bytes, timeStamp } = await signedPdf(await signing.signer());
      expect(timeStamp).toBe('not_configured');
      const [start, gapStart = 0, gapEnd = 0, rest = 0] = partsOf(bytes).range;
      expect([start, gapEnd + rest]).toEqual([0, bytes.length]);
      expect(bytes.subarray(gapStart, gapEnd).toString('latin1')).toMatch(/^<[0-9a-f]+>$/);
      expect(await openssl(bytes, signing.anchorsPem)).toContain('Verification successful');
      expect(pdfaFaults(bytes)).toEqual([]);
    },
  );

  it('made with ed25519, which OpenSSL 3.0 does not know in CMS, holds by RFC 8419', async () => {
    const signing = await ReportSigning.create(new Date('2026-11-22T10:00:00Z'), 'ed25519');
    const { bytes } = await signedPdf(await signing.signer());
    const { cms, covered } = partsOf(bytes);
    const content = ContentInfo.fromBER(Uint8Array.from(cms).buffer);
    const [signer] = new SignedData({ schema: content.content }).signerInfos;
    const attributes = Buffer.from(signer?.signedAttrs?.toSchema().toBER() ?? new ArrayBuffer(0));
    attributes[0] = 0x31;
    const digest = createHash('sha512').update(covered).digest();
    expect(attributes.includes(digest)).toBe(true);
    const [leaf = ''] =
      signing.key.certificateChainPem.match(/-----BEGIN[^]+?-----END CERTIFICATE-----/g) ?? [];
    const signature = Buffer.from(signer?.signature.valueBlock.valueHexView ?? []);
    expect(verify(null, attributes, new X509Certificate(leaf).publicKey, signature)).toBe(true);
  });

  it('does not hold when one byte of a page or an attachment is changed', async () => {
    const signer = await workshop.reportSigning.signer();
    const { bytes } = await signedPdf(signer);
    const { range } = partsOf(bytes);
    for (const at of [100, Math.floor((range[1] ?? 0) / 2), bytes.length - 20]) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      await expect(openssl(changed, workshop.reportSigning.anchorsPem)).rejects.toThrow(/digest|[Vv]erif/);
    }
  });

  it('carries a time-stamp over its signature where an authority is configured (B-T)', async () => {
    const { bytes, timeStamp } = await signedPdf(await workshop.reportSigning.signer(stamping('required')));
    expect(timeStamp).toBe('stamped');
    expect(await openssl(bytes, workshop.reportSigning.anchorsPem)).toContain('successful');
    const { cms } = partsOf(bytes);
    await writeFile(join(folder, 'sig.der'), cms);
    const { stdout } = await run('openssl', ['asn1parse', '-inform', 'DER', '-in', join(folder, 'sig.der')]);
    expect(stdout).toContain('id-smime-aa-timeStampToken');
    expect(stdout).toContain('id-smime-aa-signingCertificateV2');
    // PAdES: the time of signing stands in the PDF, never in the CMS (EN 319 142-1 section 5.3).
    expect(stdout).not.toContain(':signingTime');
  });

  it('is signed without one, and says so, where a failing authority is not required', async () => {
    authority.plan('http-500');
    const { timeStamp } = await signedPdf(await workshop.reportSigning.signer(stamping('best_effort')));
    expect(timeStamp).toBe('missing');
    authority.plan('http-500');
    await expect(signedPdf(await workshop.reportSigning.signer(stamping('required')))).rejects.toMatchObject({
      code: 'time_stamp_unavailable',
    });
  });

  it('is refused when the key gives a signature that does not verify', async () => {
    const broken = await ReportSigning.create(new Date());
    const key = { ...broken.key, sign: () => Promise.resolve(Buffer.alloc(64, 7)) };
    const { openReportSigner } = await import('./report-key-signer.js');
    const signer = await openReportSigner({ reportKey: () => Promise.resolve(key) }, undefined, systemClock);
    await expect(signer.signJson(Buffer.from('{}'), DOSSIER_TYPE)).rejects.toMatchObject({
      code: 'signer_unavailable',
    });
  });

  it('is the same in JSON, for one kind of document, one authority and one time', async () => {
    const { reportSigning } = workshop;
    const signer = await reportSigning.signer();
    const jws = (await signer.signJson(Buffer.from('{"a":1}'), DOSSIER_TYPE)).toString();
    const at = new Date('2026-11-22T10:00:00Z');
    const { anchorsPem } = reportSigning;
    const question = { jws, type: DOSSIER_TYPE, anchorsPem, at };
    expect(await verifySignedJson(question)).toMatchObject({
      payload: Buffer.from('{"a":1}'),
      certificateSha256: signer.identity.certificateSha256,
    });
    const stranger = await ReportSigning.create(at);
    const [header = '', , signature = ''] = jws.split('.');
    const other = `${header}.${Buffer.from('{"a":2}').toString('base64url')}.${signature}`;
    const faults = await Promise.all([
      verifySignedJson({ ...question, jws: other }),
      verifySignedJson({ ...question, type: 'another+json' }),
      verifySignedJson({ ...question, anchorsPem: stranger.anchorsPem }),
      verifySignedJson({ ...question, at: new Date('2020-01-01') }),
      verifySignedJson({ ...question, jws: 'eyJhbGciOiJub25lIn0.e30.' }),
      verifySignedJson({ ...question, jws: '' }),
    ]);
    expect(faults.map((each) => 'fault' in each)).toEqual(faults.map(() => true));
  });
});
