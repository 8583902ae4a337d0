import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { effort } from '../../../test/support/effort.js';
import { Integer, OctetString } from 'asn1js';
import { AlgorithmIdentifier, MessageImprint } from 'pkijs';
import { AuthorityKeys, type KeyKind } from '../../../test/fakes/time-stamp-authority/authority-keys.js';
import { type Fault } from '../../../test/fakes/time-stamp-authority/fault-plan.js';
import { FAKE_POLICY, makeToken } from '../../../test/fakes/time-stamp-authority/make-token.js';
import {
  OpensslAuthority,
  opensslVerify,
  opensslVersion,
} from '../../../test/fakes/time-stamp-authority/openssl-authority.js';
import { type TimeStampVerification, verifyTimeStampToken } from './time-stamp-token.js';

const message = Buffer.from('log.example/logs/a\n7\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n');
/** Flipped bits of a token; a campaign sets its own number. */
const FLIPS = effort(60, 2000);
/** Certificates of the fake begin a day before now. */
const genTime = new Date();
const NONCE = 0xf123456789abcdefn;
const SHA2 = {
  sha256: '2.16.840.1.101.3.4.2.1',
  sha384: '2.16.840.1.101.3.4.2.2',
  sha512: '2.16.840.1.101.3.4.2.3',
};

let keys: AuthorityKeys;
beforeAll(async () => {
  keys = await AuthorityKeys.create();
});

function imprintOf(bytes: Uint8Array, hash: keyof typeof SHA2 = 'sha256'): MessageImprint {
  return new MessageImprint({
    hashAlgorithm: new AlgorithmIdentifier({ algorithmId: SHA2[hash] }),
    hashedMessage: new OctetString({ valueHex: createHash(hash).update(bytes).digest() }),
  });
}

async function tokenOf(fault?: Fault, from = keys, hash: keyof typeof SHA2 = 'sha256'): Promise<Uint8Array> {
  const request = {
    messageImprint: imprintOf(message, hash),
    nonce: Integer.fromBigInt(NONCE),
    certReq: true,
    genTime,
  };
  return makeToken(request, await from.identity(fault), fault);
}

const verify = (token: Uint8Array, rootsPem = keys.rootPem, nonce: bigint | undefined = NONCE) =>
  verifyTimeStampToken({ token, message, trust: { rootsPem }, ...(nonce !== undefined && { nonce }) });

const outcomes = ({ statuses }: TimeStampVerification): Record<string, string> =>
  Object.fromEntries(statuses.map(({ check, outcome }) => [check, outcome]));
const failures = ({ statuses }: TimeStampVerification): string[] =>
  statuses.filter(({ outcome }) => outcome === 'failed').map(({ check }) => check);
const failureText = ({ statuses }: TimeStampVerification): string =>
  statuses.find(({ outcome }) => outcome === 'failed')?.text ?? '';

describe('a good token', () => {
  it('is valid, says when and by whom, and names what was not checked', async () => {
    const result = await verify(await tokenOf());
    expect(outcomes(result)).toEqual({
      form: 'passed',
      imprint: 'passed',
      nonce: 'passed',
      attributes: 'passed',
      signer: 'passed',
      signature: 'passed',
      certificate_binding: 'passed',
      purpose: 'passed',
      chain: 'passed',
      validity: 'passed',
      revocation: 'not_checked',
    });
    expect(result).toMatchObject({
      valid: true,
      stamp: {
        genTime,
        accuracyMs: 1500,
        policy: FAKE_POLICY,
        digest: 'SHA-256',
        authority: 'Fake TSA, Fake',
      },
    });
  });

  it('is valid years later without the nonce, which nobody else knows', async () => {
    const result = await verifyTimeStampToken({
      token: await tokenOf('no-nonce'),
      message,
      trust: { rootsPem: keys.rootPem },
    });
    expect(result).toMatchObject({ valid: true });
    expect(outcomes(result).nonce).toBe('not_checked');
  });

  it.each<KeyKind>(['ecdsa-p384', 'rsa', 'rsa-pss'])('is valid with a key of kind %s', async (kind) => {
    const others = await AuthorityKeys.create(kind);
    const result = await verify(await tokenOf(undefined, others), others.rootPem);
    expect(failures(result)).toEqual([]);
    expect(failures(await verify(await tokenOf('bad-signature', others), others.rootPem))).toEqual([
      'signature',
    ]);
  });

  it.each(['sha384', 'sha512'] as const)('is valid with an imprint of %s', async (hash) => {
    expect(await verify(await tokenOf(undefined, keys, hash))).toMatchObject({ valid: true });
  });

  it('needs the intermediate from the verifier when the token came without certificates', async () => {
    const token = await tokenOf('no-certificates');
    expect(failures(await verify(token))).toEqual(['signer']);
    const { certificate } = await keys.identity();
    const intermediatesPem = `${certificate.toString('pem')}\n${keys.intermediatePem}`;
    const trust = { rootsPem: keys.rootPem, intermediatesPem };
    expect(await verifyTimeStampToken({ token, message, trust })).toMatchObject({ valid: true });
  });

  it('is not valid for other bytes, another nonce or another root', async () => {
    const token = await tokenOf();
    const trust = { rootsPem: keys.rootPem };
    const other = await verifyTimeStampToken({ token, message: Buffer.from('other'), trust });
    expect(failures(other)).toEqual(['imprint']);
    expect(failures(await verify(token, keys.rootPem, 1n))).toEqual(['nonce']);
    const strangers = await AuthorityKeys.create();
    expect(failures(await verify(token, strangers.rootPem))).toEqual(['chain']);
    // An intermediate given as such is trusted for nothing.
    const intermediateOnly = { rootsPem: strangers.rootPem, intermediatesPem: keys.intermediatePem };
    expect(failures(await verifyTimeStampToken({ token, message, trust: intermediateOnly }))).toEqual([
      'chain',
    ]);
  });

  it.each(['', 'no certificate', '-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n'])(
    'proves nothing where the roots cannot be read (%#)',
    async (rootsPem) => {
      const result = await verify(await tokenOf(), rootsPem);
      expect(failures(result)).toEqual(['chain']);
      expect(failureText(result)).toContain('The given roots cannot be used');
    },
  );
});

describe('a bad token', () => {
  it.each<[Fault, string[], RegExp]>([
    ['wrong-imprint', ['imprint'], /about other bytes/],
    ['sha1-imprint', ['imprint'], /hash other than SHA-256/],
    ['wrong-nonce', ['nonce'], /another request/],
    ['no-nonce', ['nonce'], /does not repeat our nonce/],
    ['bad-time', ['form'], /time is not in the form of RFC 3161/],
    ['forged-content', ['attributes', 'validity'], /changed after it was signed/],
    ['bad-signature', ['signature'], /signature does not verify/],
    ['sha1-signature', ['attributes', 'signature'], /hashed with something other/],
    ['missing-ess-cert-id', ['certificate_binding'], /ESSCertID is missing/],
    ['wrong-ess-cert-id', ['certificate_binding'], /another certificate/],
    ['two-signers', ['form'], /does not have one signature/],
    ['wrong-content-type', ['attributes'], /not about a time-stamp/],
    ['wrong-eku', ['purpose'], /not for time-stamping/],
    ['extra-eku', ['purpose'], /other purposes beside/],
    ['eku-not-critical', ['purpose'], /not critical/],
    ['no-signing-key-usage', ['purpose'], /may not sign/],
    ['expired-certificate', ['validity'], /Fake TSA, Fake ended at 20/],
    ['unknown-issuer', ['chain'], /leads to none of the given roots/],
    ['issuer-not-ca', ['chain'], /not one of a certification authority/],
    ['path-too-long', ['chain'], /More authorities follow/],
    ['critical-extension', ['chain'], /critical extension 1\.3\.6\.1\.4\.1\.99999\.1/],
  ])('with the fault %s fails only in %j', async (fault, checks, text) => {
    const result = await verify(await tokenOf(fault));
    expect(result.valid).toBe(false);
    expect(failures(result)).toEqual(checks);
    expect(failureText(result)).toMatch(text);
    expect(result).not.toHaveProperty('stamp');
  });

  it('reports all its faults, not only the first', async () => {
    const result = await verifyTimeStampToken({
      token: await tokenOf('wrong-eku'),
      message: Buffer.from('other bytes'),
      nonce: 1n,
      trust: { rootsPem: (await AuthorityKeys.create()).rootPem },
    });
    expect(failures(result)).toEqual(['imprint', 'nonce', 'purpose', 'chain']);
  });

  it('cut off at any byte, with bytes after its end, or empty is not a token', async () => {
    const token = await tokenOf();
    for (let length = 0; length < token.length; length += 7) {
      expect(failures(await verify(token.subarray(0, length)))).toEqual(['form']);
    }
    const longer = await verify(Buffer.concat([token, Buffer.from([0])]));
    expect(failureText(longer)).toContain('bytes after its end');
  });

  it('larger than 64 KiB or nested beyond measure is refused at once', async () => {
    expect(failureText(await verify(Buffer.alloc(65_537, 0x30)))).toContain('larger than 65536 bytes');
    const nested = Buffer.alloc(65_536);
    for (let at = 0; at < nested.length; at += 2) nested.writeUInt16BE(0x3080, at);
    expect(failures(await verify(nested))).toEqual(['form']);
  });

  it(
    'never becomes valid with another meaning by a flipped bit, and never throws',
    async () => {
      const token = await tokenOf();
      const good = await verify(token);
      const trust = { rootsPem: keys.rootPem };
      let valid = 0;
      for (let flip = 0; flip < FLIPS; flip++) {
        // Spread over the whole token; 37 is prime to 8, so that all bits of a byte have their turn.
        const bit = Math.floor((flip * token.length * 8) / FLIPS) + (flip % 37);
        const changed = Buffer.from(token);
        const at = (bit >> 3) % token.length;
        changed[at] = (changed[at] ?? 0) ^ (1 << (bit & 7));
        const result = await verifyTimeStampToken({ token: changed, message, nonce: NONCE, trust });
        if (!result.valid) continue;
        valid++;
        expect(result).toMatchObject({ stamp: 'stamp' in good ? good.stamp : {} });
      }
      // Some bits mean nothing to a signature, e.g. the version of the container.
      expect(valid).toBeLessThanOrEqual(FLIPS / 20);
    },
    effort(300_000, 1_200_000),
  );
});

const openssl = opensslVersion();
describe.each([
  { key: 'ec', essCertIdHash: 'sha256' },
  { key: 'rsa', essCertIdHash: 'sha1' },
  { key: 'ec', essCertIdHash: 'sha512' },
] as const)('another implementation, openssl ts with $key and $essCertIdHash', (options) => {
  if (openssl === undefined) {
    it('NOT CHECKED on this machine: there is no openssl', () => expect(openssl).toBeUndefined());
    return;
  }
  let authority: OpensslAuthority;
  beforeAll(async () => {
    authority = await OpensslAuthority.create(options);
  });
  afterAll(() => authority.stop());

  it.each(['sha256', 'sha384', 'sha512'] as const)(
    'makes tokens over %s that verify here',
    async (digest) => {
      const token = await authority.reply(await authority.query(message, digest), '-token_out');
      const result = await verifyTimeStampToken({ token, message, trust: authority });
      expect(failures(result)).toEqual([]);
      expect(result).toMatchObject({
        valid: true,
        stamp: { policy: '1.2.3.4.1', accuracyMs: 1501, authority: 'OpenSSL TSA, OpenSSL' },
      });
      const other = await verifyTimeStampToken({ token, message: Buffer.from('x'), trust: authority });
      expect(failures(other)).toEqual(['imprint']);
    },
  );
});

describe('openssl ts -verify, as an outsider runs it', () => {
  if (openssl === undefined) {
    it('NOT CHECKED on this machine: there is no openssl', () => expect(openssl).toBeUndefined());
    return;
  }
  it.each<KeyKind>(['ecdsa-p256', 'ecdsa-p384', 'rsa'])(
    'accepts tokens of the fake with %s',
    async (kind) => {
      const others = await AuthorityKeys.create(kind);
      const token = await tokenOf(undefined, others);
      const { ok, output } = await opensslVerify({ message, token, rootsPem: others.rootPem });
      expect({ ok, output }).toMatchObject({ ok: true });
      expect(
        await opensslVerify({ message: Buffer.from('x'), token, rootsPem: others.rootPem }),
      ).toMatchObject({
        ok: false,
      });
    },
  );

  it.each<Fault>(['wrong-imprint', 'bad-signature', 'wrong-eku', 'unknown-issuer', 'missing-ess-cert-id'])(
    'agrees with us on the fault %s',
    async (fault) => {
      const token = await tokenOf(fault);
      expect(await opensslVerify({ message, token, rootsPem: keys.rootPem })).toMatchObject({ ok: false });
    },
  );
});
