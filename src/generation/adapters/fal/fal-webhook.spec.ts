import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { createPublicKey, type JsonWebKey, type KeyObject, randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FAKE_FAL_CREDENTIALS, FakeFal } from '../../../../test/fakes/fal/fake-fal.js';
import { type FaultPlanInput } from '../../../../test/fakes/fal/fault-plan.js';
import { WebhookSender } from '../../../../test/fakes/fal/webhook-sender.js';
import { readBody } from '../../../outbound/response-limits.js';
import { FalProvider } from './fal-provider.js';
import { type SignedDelivery, verifyFalWebhook } from './fal-webhook.js';
import { FalWebhookVerifier } from './fal-webhook-keys.js';

const NOW_MS = Date.UTC(2026, 10, 22, 10, 0, 0);
const REQUEST_ID = '764cabcf-b745-4b3e-ae38-1200304cf45b';

function bodyOf(value: Record<string, unknown> = {}): Buffer {
  return Buffer.from(JSON.stringify({ request_id: REQUEST_ID, status: 'OK', payload: { a: 1 }, ...value }));
}

function keysOf(sender: WebhookSender): KeyObject[] {
  return sender.keySet().keys.map((key) => createPublicKey({ key: key as JsonWebKey, format: 'jwk' }));
}

describe('verifyFalWebhook', () => {
  const sender = new WebhookSender();
  const other = new WebhookSender();
  const delivery = (rawBody = bodyOf(), atMs = NOW_MS): SignedDelivery & { keys: KeyObject[] } => ({
    headers: sender.signedHeaders(REQUEST_ID, rawBody, { atMs }),
    rawBody,
    nowMs: NOW_MS,
    keys: [...keysOf(other), ...keysOf(sender)],
  });

  it('accepts what fal signed, trying every key', () => {
    expect(verifyFalWebhook(delivery())).toEqual({ requestId: REQUEST_ID, status: 'OK', payload: { a: 1 } });
    const failed = bodyOf({ status: 'ERROR', payload: null, payload_error: 'not serializable', error: 'x' });
    expect(verifyFalWebhook(delivery(failed))).toMatchObject({ status: 'ERROR', payload: null });
  });

  it('refuses any changed bit of the body, the headers and the signature', () => {
    const good = delivery();
    for (let index = 0; index < good.rawBody.byteLength; index += 1) {
      const rawBody = Buffer.from(good.rawBody);
      rawBody.writeUInt8(rawBody.readUInt8(index) ^ 1, index);
      expect(() => verifyFalWebhook({ ...good, rawBody })).toThrow('no known key');
    }
    const signature = String(good.headers['x-fal-webhook-signature']);
    for (let index = 0; index < signature.length; index += 1) {
      const digit = signature[index] === '0' ? '1' : '0';
      const changed = `${signature.slice(0, index)}${digit}${signature.slice(index + 1)}`;
      const headers = { ...good.headers, 'x-fal-webhook-signature': changed };
      expect(() => verifyFalWebhook({ ...good, headers })).toThrow('no known key');
    }
    for (const name of ['x-fal-webhook-request-id', 'x-fal-webhook-user-id']) {
      expect(() =>
        verifyFalWebhook({ ...good, headers: { ...good.headers, [name]: 'someone-else' } }),
      ).toThrow('no known key');
    }
  });

  it.each([
    ['exactly 300 s old', -300, true],
    ['301 s old', -301, false],
    ['300 s ahead', 300, true],
    ['301 s ahead', 301, false],
    ['replayed after ten minutes', -600, false],
  ])('a delivery that is %s', (_name, seconds, ok) => {
    const verify = (): unknown => verifyFalWebhook(delivery(bodyOf(), NOW_MS + seconds * 1000));
    if (ok) expect(verify).not.toThrow();
    else expect(verify).toThrow('too old or from the future');
  });

  it.each([
    'x-fal-webhook-request-id',
    'x-fal-webhook-user-id',
    'x-fal-webhook-timestamp',
    'x-fal-webhook-signature',
  ])('refuses %s when it is missing, repeated or malformed', (name) => {
    const good = delivery();
    for (const value of [
      undefined,
      '',
      'a b',
      'x\ny',
      [String(good.headers[name])],
      'g'.repeat(128),
      '1e9',
      '-1',
    ]) {
      const verify = (): unknown =>
        verifyFalWebhook({ ...good, headers: { ...good.headers, [name]: value } });
      expect(verify).toThrow(expect.objectContaining({ code: 'bad_signature' }));
    }
  });

  it('refuses a body that names another request than the signed header', () => {
    expect(() => verifyFalWebhook(delivery(bodyOf({ request_id: 'other' })))).toThrow(
      expect.objectContaining({ code: 'bad_signature' }),
    );
  });

  it.each(['', 'not json', '[]', '{}', '{"request_id":"r","status":"DONE"}'])(
    'refuses the signed body %j',
    (text) => {
      expect(() => verifyFalWebhook(delivery(Buffer.from(text)))).toThrow(
        expect.objectContaining({ code: 'invalid_request' }),
      );
    },
  );

  it('accepts nothing without keys', () => {
    expect(() => verifyFalWebhook({ ...delivery(), keys: [] })).toThrow('no known key');
  });
});

describe('FalWebhookVerifier', () => {
  let sender: WebhookSender;
  let server: Server;
  let fetches: number;
  let answer: () => string;
  let nowMs: number;
  let verifier: FalWebhookVerifier;

  beforeEach(async () => {
    sender = new WebhookSender();
    fetches = 0;
    nowMs = NOW_MS;
    answer = () => JSON.stringify(sender.keySet());
    server = createServer((_request, response) => {
      fetches += 1;
      response.end(answer());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const hostPort = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const connection = {
      outbound: { allowedPrivateHosts: [hostPort] },
      baseUrlOverride: `http://${hostPort}`,
    };
    verifier = new FalWebhookVerifier(connection, { now: () => new Date(nowMs) });
  });
  afterEach(() => {
    server.close();
  });

  const verify = (forged = false): Promise<unknown> => {
    const rawBody = bodyOf();
    return verifier.verify({
      headers: sender.signedHeaders(REQUEST_ID, rawBody, { atMs: nowMs, forged }),
      rawBody,
    });
  };

  it('fetches the keys once, also for deliveries that come together', async () => {
    await Promise.all(Array.from({ length: 20 }, () => verify()));
    await verify();
    expect(fetches).toBe(1);
  });

  it('fetches again after a day', async () => {
    await verify();
    nowMs += 24 * 3600 * 1000 + 1;
    await verify();
    expect(fetches).toBe(2);
  });

  it('learns a new key, but lets forgeries cause no more than one fetch a minute', async () => {
    await verify();
    sender.rotateKey();
    nowMs += 60_000;
    await verify();
    expect(fetches).toBe(2);
    for (let attempt = 0; attempt < 10; attempt += 1) {
      await expect(verify(true)).rejects.toMatchObject({ code: 'bad_signature' });
    }
    expect(fetches).toBe(2);
    nowMs += 60_000;
    await expect(verify(true)).rejects.toMatchObject({ code: 'bad_signature' });
    expect(fetches).toBe(3);
  });

  it('fetches nothing for garbage', async () => {
    await expect(verifier.verify({ headers: {}, rawBody: bodyOf() })).rejects.toMatchObject({
      code: 'bad_signature',
    });
    expect(fetches).toBe(0);
  });

  it.each([
    ['not JSON', '<html>'],
    ['no set', '{}'],
    ['an empty set', '{"keys":[]}'],
    ['keys of another kind', '{"keys":[{"kty":"RSA","n":"AA","e":"AQAB"},null,1]}'],
    [
      'an endless list',
      JSON.stringify({ keys: Array.from({ length: 3000 }, () => ({ kty: 'OKP', x: 'A'.repeat(43) })) }),
    ],
  ])('accepts nothing while the key set is %s, and recovers', async (_name, text) => {
    const good = answer;
    answer = () => text;
    await expect(verify()).rejects.toMatchObject({ code: 'upstream_invalid' });
    await expect(verify()).rejects.toMatchObject({ code: 'upstream_error' });
    expect(fetches).toBe(1);
    answer = good;
    nowMs += 60_000;
    await expect(verify()).resolves.toMatchObject({ requestId: REQUEST_ID });
  });
});

describe('webhooks of the working fake', () => {
  let fake: FakeFal;
  let receiver: Server;
  let receiverUrl: string;
  let seen: string[];
  let refuseFirst: number;
  let onDelivery: () => void;

  beforeEach(async () => {
    fake = await FakeFal.start();
    seen = [];
    refuseFirst = 0;
    onDelivery = () => undefined;
    const connection = { outbound: { allowedPrivateHosts: [fake.hostPort] }, baseUrlOverride: fake.origin };
    const verifier = new FalWebhookVerifier(connection, { now: () => new Date() });
    receiver = createServer((request, response) => {
      void readBody(request)
        .then((rawBody) => verifier.verify({ headers: request.headers, rawBody }))
        .then(
          ({ requestId }) => `ok ${requestId}`,
          (error: unknown) => (error as { code: string }).code,
        )
        .then((outcome) => {
          seen.push(outcome);
          refuseFirst -= 1;
          response.writeHead(refuseFirst >= 0 ? 503 : outcome === 'bad_signature' ? 401 : 200).end();
          onDelivery();
        });
    });
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
    receiverUrl = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
  });
  afterEach(async () => {
    await fake.stop();
    receiver.closeAllConnections();
    receiver.close();
  });

  async function deliveries(plan: FaultPlanInput, count: number, stepRunId = randomUUID()): Promise<void> {
    const arrived = new Promise<void>((resolve) => {
      onDelivery = () => {
        if (seen.length >= count) resolve();
      };
    });
    fake.plan({ webhookDelayMs: 0, ...plan });
    const provider = new FalProvider({
      credentials: FAKE_FAL_CREDENTIALS,
      outbound: { allowedPrivateHosts: [fake.hostPort] },
      baseUrlOverride: fake.origin,
      webhookUrl: (id) => new URL(`${receiverUrl}/webhooks/fal/${id}`),
    });
    const step = {
      stepRunId,
      operation: 'generate' as const,
      endpoint: 'fal-ai/flux/dev',
      parameters: { prompt: 'x' },
      inputs: {},
    };
    await provider.submit(step, new AbortController().signal).catch(() => undefined);
    await arrived;
  }

  it('verify with the published key, and arrive twice when planned so', async () => {
    await deliveries({ webhook: 'duplicate' }, 2);
    const requestId = fake.ledger()[0]?.requestId;
    expect(seen).toEqual([`ok ${requestId}`, `ok ${requestId}`]);
  });

  it('are refused when forged', async () => {
    await deliveries({ webhook: 'forged' }, 1);
    expect(seen).toEqual(['bad_signature']);
  });

  it('are delivered again until they are answered with 200', async () => {
    refuseFirst = 2;
    await deliveries({ webhook: 'ok' }, 3);
    expect(seen).toHaveLength(3);
  });

  it('find the step whose answer was lost', async () => {
    const stepRunId = randomUUID();
    await deliveries({ submit: 'reset-after-accept' }, 1, stepRunId);
    expect(fake.ledger()).toMatchObject([{ stepRunId }]);
    expect(seen).toEqual([`ok ${fake.ledger()[0]?.requestId}`]);
  });
});
