import { readdir, readFile } from 'node:fs/promises';
import { Reader } from '@contentauth/c2pa-node';
import { decode } from 'cborg';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { FakeAuthority } from '../../../test/fakes/time-stamp-authority/fake-authority.js';
import { type Fault } from '../../../test/fakes/time-stamp-authority/fault-plan.js';
import { Rfc3161Authority } from '../../audit/adapters/rfc3161-authority.js';
import { verifyTimeStampToken } from '../../audit/verify/time-stamp-token.js';
import { systemClock } from '../../shared/clock.js';
import { type SignatureTimeStamping } from '../domain/time-stamping.port.js';
import { generatedPlan, parentOf, SigningWorkshop, type MediaFile } from '../testing/signing-workshop.js';
import { C2paMediaSigner } from './c2pa-media-signer.js';
import { ClaimSignature, SignatureRoomError, timeStampedBytes } from './cose-sign1.js';

let workshop: SigningWorkshop;
let authority: FakeAuthority;
beforeAll(async () => {
  workshop = await SigningWorkshop.create();
  authority = await FakeAuthority.start();
});
afterAll(async () => {
  await workshop.close();
  await authority.stop();
});

function stamping(policy: SignatureTimeStamping['policy'] = 'required'): SignatureTimeStamping {
  const client = new Rfc3161Authority({
    url: authority.url,
    trust: { rootsPem: authority.rootsPem },
    clock: systemClock,
    name: 'tsa.example',
    outbound: { allowedPrivateHosts: [authority.hostPort] },
    deadlineMs: 2000,
  });
  return { authority: client, policy };
}

function signer(timeStamping: SignatureTimeStamping): SigningWorkshop {
  const trust = { name: 'this installation', anchorsPem: workshop.keystore.caCertificatePem };
  const made = new C2paMediaSigner({
    key: workshop.keystore.claimKey,
    trust,
    timeStamping,
    sourceInspector: workshop.reader,
    version: '0.1.0',
    clock: systemClock,
  });
  return Object.assign(Object.create(workshop) as SigningWorkshop, { signer: made });
}

interface Report {
  validation_state: string;
  active_manifest: string;
  manifests: Record<string, { signature_info: { time?: string } }>;
  validation_results: { activeManifest: Record<'success' | 'informational' | 'failure', { code: string }[]> };
}

/** What the C2PA library itself says, with given anchors. */
async function libraryReport(file: MediaFile, anchors: string): Promise<Report> {
  const settings = JSON.stringify({ trust: { user_anchors: anchors }, verify: { verify_trust: true } });
  const reader = await Reader.fromAsset({ path: file.path, mimeType: file.mediaType }, settings);
  return JSON.parse(JSON.stringify(reader?.json())) as Report;
}

const codes = (report: Report): string[] =>
  Object.values(report.validation_results.activeManifest).flatMap((list) => list.map(({ code }) => code));

describe('a time-stamp in a manifest', () => {
  it('is read by the C2PA library: time, validity, and trust where the root of the authority is an anchor', async () => {
    const before = Math.floor(Date.now() / 1000) * 1000;
    const file = await signer(stamping()).sign(await workshop.picture());
    expect(file.signed.timeStamp).toMatchObject({ outcome: 'stamped', authority: 'tsa.example' });

    const ours = workshop.keystore.caCertificatePem;
    const trusted = await libraryReport(file, ours + authority.rootsPem);
    const { time = '' } = trusted.manifests[trusted.active_manifest]?.signature_info ?? {};
    expect(Date.parse(time)).toBeGreaterThanOrEqual(before);
    expect(trusted.validation_state).toBe('Trusted');
    expect(codes(trusted)).toEqual(expect.arrayContaining(['timeStamp.validated', 'timeStamp.trusted']));

    const untrusted = await libraryReport(file, ours);
    expect(untrusted.validation_state).toBe('Trusted');
    expect(codes(untrusted)).not.toContain('timeStamp.trusted');
  });

  it('is of the signature, as the specification says, and only the token of the response', async () => {
    const file = await signer(stamping()).sign(await workshop.picture());
    const bytes = await readFile(file.path);
    // Tagged COSE_Sign1 of four members with a protected header.
    const at = bytes.indexOf(Buffer.from('d28459', 'hex'));
    const [protectedHeader, unprotected, payload, signature] = decode(firstItem(bytes.subarray(at + 1)), {
      useMaps: true,
    }) as [Uint8Array, Map<string, unknown>, null, Uint8Array];
    expect(payload).toBeNull();
    expect([...unprotected.keys()]).toEqual(expect.arrayContaining(['sigTst2', 'pad']));
    const [{ val: token = new Uint8Array() } = {}] = tokensOf(unprotected);
    const trust = { rootsPem: authority.rootsPem };
    const message = timeStampedBytes(protectedHeader, signature);
    expect(await verifyTimeStampToken({ token, message, trust })).toMatchObject({ valid: true });
    const other = timeStampedBytes(protectedHeader, new Uint8Array(64));
    expect(await verifyTimeStampToken({ token, message: other, trust })).toMatchObject({ valid: false });
  });

  it('stays with a picture when work on it goes on', async () => {
    const first = await signer(stamping()).sign(await workshop.picture('image/jpeg'));
    const plan = generatedPlan({
      actions: [{ ...generatedPlan().actions[0], action: 'c2pa.edited' } as never],
      ingredients: [parentOf(first)],
    });
    const next = await signer(stamping()).sign(await workshop.picture('image/jpeg'), plan);
    expect(await workshop.verify(next)).toMatchObject({
      verdict: 'intact_and_trusted',
      brokenIngredient: false,
    });
  });

  it.each<Fault>([
    'down',
    'http-500',
    'rejection',
    'wrong-imprint',
    'wrong-nonce',
    'expired-certificate',
    'wrong-eku',
  ])('that is required holds the file when the authority fails (%s)', async (fault) => {
    const before = await readdir(workshop.folder);
    const source = await workshop.picture();
    authority.plan(fault);
    await expect(signer(stamping()).sign(source)).rejects.toMatchObject({ code: 'time_stamp_unavailable' });
    const left = (await readdir(workshop.folder)).filter((name) => !before.includes(name));
    expect(left).toHaveLength(1);
  });

  it('that is wished for is missing when the authority fails, and the record says so', async () => {
    authority.plan('wrong-imprint');
    const file = await signer(stamping('best_effort')).sign(await workshop.picture());
    expect(file.signed.timeStamp).toEqual({
      outcome: 'missing',
      authority: 'tsa.example',
      reason: 'invalid',
    });
    const result = await workshop.verify(file);
    expect(result.verdict).toBe('intact_and_trusted');
    expect(result.chain?.signer?.signedAt).toBeUndefined();
  });

  it('fits whatever size its token has: the file is laid out again where it did not', async () => {
    const large = (bytes: number): SignatureTimeStamping => ({
      policy: 'required',
      authority: {
        name: 'large',
        stamp: () =>
          Promise.resolve({ outcome: 'stamped', token: new Uint8Array(bytes), genTime: new Date() }),
      },
    });
    const claim = Buffer.from('claim');
    for (const bytes of [1, 100, 7900, 8100, 8192, 8300, 20_000, 65_000]) {
      const signature = new ClaimSignature(workshop.keystore.claimKey, large(bytes));
      const sign = async (): Promise<number> => {
        const reserved = signature.sizeBytes;
        const { cose } = await signature.sign(claim, reserved);
        expect(cose).toHaveLength(reserved);
        return reserved;
      };
      const first = await sign().catch((error: unknown) => error);
      if (typeof first !== 'number') expect(first).toBeInstanceOf(SignatureRoomError);
      expect(await sign()).toBeLessThan(bytes + 1500);
    }
  });

  it('pads to every size, also where the head of the padding grows', async () => {
    // Around paddings of 256 and of 24 bytes.
    const around = (first: number): number[] => Array.from({ length: 40 }, (_, index) => first + index);
    for (const tokenBytes of [...around(7880), ...around(8110)]) {
      const authorityOfSize = {
        name: 'exact',
        stamp: () =>
          Promise.resolve({
            outcome: 'stamped',
            token: new Uint8Array(tokenBytes),
            genTime: new Date(),
          } as const),
      };
      const signature = new ClaimSignature(workshop.keystore.claimKey, {
        policy: 'required',
        authority: authorityOfSize,
      });
      const reserved = signature.sizeBytes;
      expect((await signature.sign(Buffer.from('claim'), reserved)).cose).toHaveLength(reserved);
    }
  });
});

function tokensOf(unprotected: Map<string, unknown>): { val?: Uint8Array }[] {
  const container = unprotected.get('sigTst2') as Map<string, Map<string, Uint8Array>[]>;
  return (container.get('tstTokens') ?? []).map((each) => Object.fromEntries(each));
}

/** The first CBOR item of bytes that go on after it. */
function firstItem(bytes: Uint8Array): Uint8Array {
  for (let length = 600; length < 16_000; length++) {
    try {
      decode(bytes.subarray(0, length), { useMaps: true });
      return bytes.subarray(0, length);
    } catch {
      // Too short still.
    }
  }
  throw new Error('no CBOR item');
}
