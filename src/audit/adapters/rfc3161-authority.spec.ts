import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { FakeAuthority } from '../../../test/fakes/time-stamp-authority/fake-authority.js';
import { type Fault } from '../../../test/fakes/time-stamp-authority/fault-plan.js';
import {
  OpensslAuthority,
  opensslVerify,
  opensslVersion,
} from '../../../test/fakes/time-stamp-authority/openssl-authority.js';
import { systemClock } from '../../shared/clock.js';
import { Rfc3161Authority } from './rfc3161-authority.js';

const message = Buffer.from('log.example/logs/a\n7\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n');

let fake: FakeAuthority;
beforeAll(async () => {
  fake = await FakeAuthority.start();
});
afterAll(() => fake.stop());

function authority(
  options: Partial<ConstructorParameters<typeof Rfc3161Authority>[0]> = {},
): Rfc3161Authority {
  return new Rfc3161Authority({
    url: fake.url,
    trust: { rootsPem: fake.rootsPem },
    clock: systemClock,
    outbound: { allowedPrivateHosts: [fake.hostPort] },
    ...options,
  });
}

describe('Rfc3161Authority', () => {
  it('returns a verified token with its time', async () => {
    const before = Date.now();
    const answer = await authority().stamp(message);
    if (answer.outcome !== 'stamped') throw new Error(answer.reason);
    expect(answer.genTime.getTime()).toBeGreaterThanOrEqual(before);
    expect(answer.genTime.getTime()).toBeLessThanOrEqual(Date.now());
    expect(answer.token.length).toBeGreaterThan(500);
  });

  it('takes a grant with modifications', async () => {
    fake.plan('granted-with-mods');
    expect(await authority().stamp(message)).toMatchObject({ outcome: 'stamped' });
  });

  it('is named by the host of its address, or as it is told', () => {
    expect(authority().name).toBe(fake.hostPort);
    expect(authority({ name: 'tsa-1' }).name).toBe('tsa-1');
    expect(authority({ url: 'https://user:secret@tsa.example/x?key=secret' }).name).toBe('tsa.example');
  });

  it('cannot be made without readable roots', () => {
    expect(() => authority({ trust: { rootsPem: 'no certificate' } })).toThrow('no certificate');
  });

  it.each<[Fault, 'unavailable' | 'refused' | 'invalid', RegExp]>([
    ['down', 'unavailable', /connection was lost/],
    ['http-500', 'unavailable', /HTTP status 500/],
    ['redirect', 'unavailable', /redirects/],
    ['huge', 'unavailable', /larger than 65536 bytes/],
    ['html', 'invalid', /no time-stamp response/],
    ['garbage', 'invalid', /no time-stamp response/],
    ['truncated', 'invalid', /no time-stamp response/],
    ['trailing', 'invalid', /bytes after its end/],
    ['rejection', 'refused', /refused with status 2 \(system failure\)/],
    ['no-token', 'invalid', /without a token/],
    ['wrong-imprint', 'invalid', /about other bytes/],
    ['sha1-imprint', 'invalid', /hash other than/],
    ['wrong-nonce', 'invalid', /answers another request/],
    ['no-nonce', 'invalid', /does not repeat our nonce/],
    ['time-off', 'invalid', /more than 10 minutes from our clock/],
    ['bad-time', 'invalid', /form of RFC 3161/],
    ['forged-content', 'invalid', /changed after it was signed/],
    ['bad-signature', 'invalid', /does not verify/],
    ['sha1-signature', 'invalid', /not accepted/],
    ['no-certificates', 'invalid', /neither in the token nor given/],
    ['missing-ess-cert-id', 'invalid', /ESSCertID is missing/],
    ['wrong-ess-cert-id', 'invalid', /ESSCertID differs/],
    ['two-signers', 'invalid', /one signature/],
    ['wrong-content-type', 'invalid', /not about a time-stamp/],
    ['wrong-eku', 'invalid', /not for time-stamping/],
    ['extra-eku', 'invalid', /other purposes/],
    ['eku-not-critical', 'invalid', /not critical/],
    ['expired-certificate', 'invalid', /ended at/],
    ['unknown-issuer', 'invalid', /none of the given roots/],
    ['issuer-not-ca', 'invalid', /certification authority/],
    ['path-too-long', 'invalid', /More authorities/],
    ['critical-extension', 'invalid', /critical extension/],
    ['no-signing-key-usage', 'invalid', /may not sign/],
  ])('answers the fault %s with %s, and says why', async (fault, outcome, reason) => {
    fake.plan(fault);
    const answer = await authority().stamp(message);
    expect(answer).toMatchObject({ outcome });
    expect('reason' in answer && answer.reason).toMatch(reason);
    // The address may carry a credential.
    expect(JSON.stringify(answer)).not.toContain(fake.hostPort);
  });

  it('gives up on an authority that does not answer', async () => {
    fake.plan('slow');
    const answer = await authority({ deadlineMs: 150 }).stamp(message);
    expect(answer).toMatchObject({
      outcome: 'unavailable',
      reason: expect.stringContaining('time limit'),
    });
  });

  it('cannot be pointed at a private network that the operator has not allowed', async () => {
    const answer = await authority({ outbound: {} }).stamp(message);
    expect(answer).toMatchObject({ outcome: 'unavailable' });
  });
});

const openssl = opensslVersion();
describe('the protocol with openssl ts behind it', () => {
  if (openssl === undefined) {
    it('NOT CHECKED on this machine: there is no openssl', () => expect(openssl).toBeUndefined());
    return;
  }
  let real: OpensslAuthority;
  beforeAll(async () => {
    real = await (await OpensslAuthority.create()).listen();
  });
  afterAll(() => real.stop());

  it('gets tokens that both of us verify', async () => {
    const client = authority({
      url: real.url,
      trust: { rootsPem: real.rootsPem },
      outbound: { allowedPrivateHosts: [real.hostPort] },
    });
    // Several at once: nonces with and without a leading bit.
    const answers = await Promise.all(Array.from({ length: 8 }, () => client.stamp(message)));
    for (const answer of answers) {
      if (answer.outcome !== 'stamped') throw new Error(answer.reason);
      expect(await opensslVerify({ message, token: answer.token, rootsPem: real.rootsPem })).toMatchObject({
        ok: true,
      });
    }
  });
});
