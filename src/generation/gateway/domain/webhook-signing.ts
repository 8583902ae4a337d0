import { createHmac, createPrivateKey, createPublicKey, hkdfSync, type KeyObject, sign } from 'node:crypto';
import { type KeyMode } from '../../../identity/domain/api-key.js';
import { sha256Hex } from '../../../shared/bytes.js';
import { publicId } from '../../../shared/ids.js';

const SECRET_BYTES = 32;
/** PKCS#8 of an Ed25519 key (RFC 8410 section 7) up to its 32 bytes. */
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex');

/**
 * Keys for what is sent to clients. Each organization has its own, and another one for test keys: made from the secret of
 * this installation (HKDF, RFC 5869), so that nothing is stored, and every process has the same.
 */
export class WebhookKeys {
  constructor(private readonly secret: Uint8Array) {}

  /** The public half, as a JSON Web Key (RFC 8037). */
  falKey(organizationId: string, mode: KeyMode): Readonly<Record<string, unknown>> {
    const { kty, crv, x } = createPublicKey(this.falPrivateKey(organizationId, mode)).export({
      format: 'jwk',
    });
    return { kty, crv, x, use: 'sig', alg: 'EdDSA', kid: sha256Hex(String(x)).slice(0, 16) };
  }

  /** As a client of Replicate gets it: `whsec_` and 32 bytes in base64. */
  replicateSecret(organizationId: string, mode: KeyMode): string {
    return `whsec_${this.derive('replicate', organizationId, mode).toString('base64')}`;
  }

  /**
   * fal's form: Ed25519 over request id, user id, seconds and the SHA-256 of the body, each on a line of its own.
   * @param at seconds since 1970
   */
  falHeaders(
    { organizationId, mode, requestId }: { organizationId: string; mode: KeyMode; requestId: string },
    body: string,
    at: number,
  ): Record<string, string> {
    const userId = publicId('organization', organizationId);
    const message = [requestId, userId, String(at), sha256Hex(Buffer.from(body))].join('\n');
    const signature = sign(null, Buffer.from(message), this.falPrivateKey(organizationId, mode));
    return {
      'x-fal-webhook-request-id': requestId,
      'x-fal-webhook-user-id': userId,
      'x-fal-webhook-timestamp': String(at),
      'x-fal-webhook-signature': signature.toString('hex'),
    };
  }

  /** Standard Webhooks, as Replicate signs: HMAC-SHA256 over id, seconds and body, separated by dots. */
  replicateHeaders(
    { organizationId, mode, deliveryId }: { organizationId: string; mode: KeyMode; deliveryId: string },
    body: string,
    at: number,
  ): Record<string, string> {
    const key = this.derive('replicate', organizationId, mode);
    const id = `msg_${deliveryId.replaceAll('-', '')}`;
    const signature = createHmac('sha256', key).update(`${id}.${at}.${body}`).digest('base64');
    return {
      'webhook-id': id,
      'webhook-timestamp': String(at),
      'webhook-signature': `v1,${signature}`,
    };
  }

  private falPrivateKey(organizationId: string, mode: KeyMode): KeyObject {
    const seed = this.derive('fal', organizationId, mode);
    return createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, seed]), format: 'der', type: 'pkcs8' });
  }

  private derive(vendor: string, organizationId: string, mode: KeyMode): Buffer {
    const info = `colophon webhooks ${vendor} ${organizationId} ${mode}`;
    return Buffer.from(hkdfSync('sha256', this.secret, '', info, SECRET_BYTES));
  }
}
