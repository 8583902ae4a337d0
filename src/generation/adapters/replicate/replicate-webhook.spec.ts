import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FAKE_REPLICATE_TOKEN, FakeReplicate } from '../../../../test/fakes/replicate/fake-replicate.js';
import { verifyReplicateWebhook } from './replicate-webhook.js';
import { ReplicateWebhookSecrets } from './replicate-webhook-secret.js';

const BODY = JSON.stringify({ id: 'abc123', status: 'succeeded' });

describe('a webhook of Replicate', () => {
  let fake: FakeReplicate;
  beforeEach(async () => {
    fake = await FakeReplicate.start();
  });
  afterEach(() => fake.stop());

  const verify = (headers: Record<string, string>, body = BODY) =>
    verifyReplicateWebhook(fake.secret, { headers, rawBody: Buffer.from(body) });
  const at = (offset: number) => fake.signedHeaders(BODY, Math.floor(Date.now() / 1000) + offset);

  it('names its prediction when the account signed it', () => {
    expect(verify(fake.signedHeaders(BODY))).toEqual({ predictionId: 'abc123' });
    expect(verify(at(-290))).toEqual({ predictionId: 'abc123' });
  });

  it.each([
    [
      'another secret',
      () => fake.signedHeaders(BODY, undefined, `whsec_${Buffer.from('x').toString('base64')}`),
    ],
    ['ten minutes ago', () => at(-600)],
    ['ten minutes ahead', () => at(600)],
    ['no signature', () => ({ ...fake.signedHeaders(BODY), 'webhook-signature': '' })],
    ['another version', () => ({ ...fake.signedHeaders(BODY), 'webhook-signature': 'v2,AAAA' })],
    ['another id', () => ({ ...fake.signedHeaders(BODY), 'webhook-id': 'msg_other' })],
  ])('is refused: %s', (_name, headers) => {
    expect(() => verify(headers())).toThrow(expect.objectContaining({ code: 'bad_signature' }));
  });

  it('is refused when a byte of the body was changed, or the body is not text', () => {
    const headers = fake.signedHeaders(BODY);
    expect(() => verify(headers, `${BODY} `)).toThrow(expect.objectContaining({ code: 'bad_signature' }));
    const rawBody = Buffer.from([0xff, 0xfe]);
    expect(() => verifyReplicateWebhook(fake.secret, { headers, rawBody })).toThrow('not UTF-8');
  });

  it('is no prediction although it is signed', () => {
    const body = JSON.stringify({ id: '../x' });
    expect(() => verify(fake.signedHeaders(body), body)).toThrow(
      expect.objectContaining({ code: 'invalid_request' }),
    );
  });

  it('is checked with a secret that is asked for once, and again at most once a minute', async () => {
    let now = new Date('2026-11-22T10:00:00Z');
    const connection = { outbound: { allowedPrivateHosts: [fake.server.hostPort] }, baseUrl: fake.baseUrl };
    const secrets = new ReplicateWebhookSecrets(connection, { now: () => now });
    expect(await secrets.secretOf(FAKE_REPLICATE_TOKEN)).toBe(fake.secret);
    expect(await secrets.secretOf(FAKE_REPLICATE_TOKEN, { fresh: true })).toBe(fake.secret);
    expect(fake.secretRequests).toBe(1);
    now = new Date('2026-11-22T10:01:01Z');
    await secrets.secretOf(FAKE_REPLICATE_TOKEN, { fresh: true });
    expect(fake.secretRequests).toBe(2);
    await expect(secrets.secretOf('r8_other')).rejects.toMatchObject({ code: 'bad_signature' });
  });
});
