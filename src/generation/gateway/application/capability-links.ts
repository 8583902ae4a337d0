import { createHmac, timingSafeEqual } from 'node:crypto';
import { type Authenticate } from '../../../identity/application/authenticate.js';
import { type Principal } from '../../../identity/domain/principal.js';
import { type Clock } from '../../../shared/clock.js';
import { ColophonError } from '../../../shared/errors.js';

/** For whom and for which asset an address works, and how long. */
export interface Capability {
  /** Whose key was given the address; it works as long as the key does. */
  readonly principal: Principal;
  /** UUID. */
  readonly assetId: string;
}

/** As long as OpenAI's own addresses of pictures work. */
export const LINK_LIFETIME_MS = 60 * 60_000;

const VERSION = 1;
const ASSET_BYTES = 16;
const EXPIRY_BYTES = 6;
const KEY_ID_BYTES = 12;
const MAC_BYTES = 32;
const SIGNED_BYTES = 1 + ASSET_BYTES + EXPIRY_BYTES + KEY_ID_BYTES;
const TOKEN = /^[A-Za-z0-9_-]{90}$/;

/**
 * Addresses that work without our key, because SDKs fetch results without it: `version (1) || asset (16) || end in
 * milliseconds (6) || key id (12) || HMAC-SHA256 (32)`, base64url. Nothing is stored: whoever holds one can read this one
 * asset until the end, as long as the key that it was given to may be used. Each reading is in the log.
 */
export class CapabilityLinks {
  constructor(
    private readonly authenticate: Authenticate,
    /** A secret of this installation. */
    private readonly macKey: Uint8Array,
    private readonly clock: Clock,
  ) {}

  issue({ keyId }: Principal, assetId: string): string {
    const signed = Buffer.alloc(SIGNED_BYTES);
    signed.writeUInt8(VERSION, 0);
    Buffer.from(assetId.replaceAll('-', ''), 'hex').copy(signed, 1);
    signed.writeUIntBE(this.clock.now().getTime() + LINK_LIFETIME_MS, 1 + ASSET_BYTES, EXPIRY_BYTES);
    signed.write(keyId, 1 + ASSET_BYTES + EXPIRY_BYTES, 'latin1');
    return Buffer.concat([signed, this.mac(signed)]).toString('base64url');
  }

  /** @throws ColophonError `not_found`, the same for every reason, so that nothing can be learnt by trying */
  async open(token: string): Promise<Capability> {
    // 90 characters hold four bits more than the 67 bytes: of the spellings of one token only one is taken.
    const bytes = TOKEN.test(token) ? Buffer.from(token, 'base64url') : Buffer.alloc(0);
    if (bytes.byteLength !== SIGNED_BYTES + MAC_BYTES || bytes.toString('base64url') !== token)
      throw noLink();
    const signed = bytes.subarray(0, SIGNED_BYTES);
    if (!timingSafeEqual(this.mac(signed), bytes.subarray(SIGNED_BYTES))) throw noLink();
    const endsAt = signed.readUIntBE(1 + ASSET_BYTES, EXPIRY_BYTES);
    if (signed[0] !== VERSION || endsAt <= this.clock.now().getTime()) throw noLink();
    const principal = await this.authenticate.principalOfKey(
      signed.subarray(-KEY_ID_BYTES).toString('latin1'),
    );
    if (principal === undefined) throw noLink();
    const hex = signed.subarray(1, 1 + ASSET_BYTES).toString('hex');
    const assetId = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
    return { principal, assetId };
  }

  private mac(signed: Uint8Array): Buffer {
    return createHmac('sha256', this.macKey).update(signed).digest();
  }
}

function noLink(): ColophonError {
  return new ColophonError('not_found', 'There is nothing at this address, or not any more.');
}
