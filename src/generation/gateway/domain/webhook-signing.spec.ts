import { createPublicKey, verify } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { validateWebhook } from 'replicate';
import { sha256Hex } from '../../../shared/bytes.js';
import { WebhookKeys } from './webhook-signing.js';

const keys = new WebhookKeys(Buffer.alloc(32, 7));
const ORGANIZATION = '018f0000-0000-7000-8000-000000000001';
const OTHER = '018f0000-0000-7000-8000-000000000002';

describe('keys of webhooks', () => {
  it('are the same in every process, and others for other organizations, modes and vendors', () => {
    expect(new WebhookKeys(Buffer.alloc(32, 7)).falKey(ORGANIZATION, 'live')).toEqual(
      keys.falKey(ORGANIZATION, 'live'),
    );
    const all = [ORGANIZATION, OTHER].flatMap((id) =>
      (['live', 'test'] as const).flatMap((mode) => [
        keys.falKey(id, mode).x,
        keys.replicateSecret(id, mode),
      ]),
    );
    expect(new Set(all).size).toBe(8);
    expect(JSON.stringify(keys.falKey(ORGANIZATION, 'live'))).not.toContain('"d"');
  });

  it("sign in fal's form", () => {
    const who = { organizationId: ORGANIZATION, mode: 'live', requestId: 'r-1' } as const;
    const headers = keys.falHeaders(who, '{"a":1}', 1_700_000_000);
    const message = `r-1\norg_018f0000000070008000000000000001\n1700000000\n${sha256Hex(Buffer.from('{"a":1}'))}`;
    const key = createPublicKey({ key: keys.falKey(ORGANIZATION, 'live') as never, format: 'jwk' });
    const signature = Buffer.from(headers['x-fal-webhook-signature'] ?? '', 'hex');
    expect(verify(null, Buffer.from(message), key, signature)).toBe(true);
    expect(verify(null, Buffer.from(`${message}0`), key, signature)).toBe(false);
  });

  it("sign in Replicate's form, as its own library checks it", async () => {
    const who = { organizationId: ORGANIZATION, mode: 'live', deliveryId: OTHER } as const;
    const headers = keys.replicateHeaders(who, '{"a":1}', 1_700_000_000);
    const check = (body: string, secret: string) =>
      validateWebhook({
        id: headers['webhook-id'] ?? '',
        timestamp: headers['webhook-timestamp'] ?? '',
        signature: headers['webhook-signature'] ?? '',
        body,
        secret,
      });
    expect(await check('{"a":1}', keys.replicateSecret(ORGANIZATION, 'live'))).toBe(true);
    expect(await check('{"a":2}', keys.replicateSecret(ORGANIZATION, 'live'))).toBe(false);
    expect(await check('{"a":1}', keys.replicateSecret(ORGANIZATION, 'test'))).toBe(false);
  });
});
