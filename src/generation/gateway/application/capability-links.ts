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

/** What an address lets its holder do: read an asset, send an announced file whole or in parts, or read the file that was sent. */
export type CapabilityKind = 'asset' | 'upload' | 'uploaded' | 'parts';
/** One kind is never taken for another: the first byte is under the HMAC, too. */
const KIND_BYTES: Readonly<Record<CapabilityKind, number>> = { asset: 1, upload: 2, uploaded: 3, parts: 4 };

/** As long as OpenAI's own addresses of pictures work. */
export const LINK_LIFETIME_MS = 60 * 60_000;

const ASSET_BYTES = 16;
const EXPIRY_BYTES = 6;
const KEY_ID_BYTES = 12;
const MAC_BYTES = 32;
const SIGNED_BYTES = 1 + ASSET_BYTES + EXPIRY_BYTES + KEY_ID_BYTES;
const TOKEN = /^[A-Za-z0-9_-]{90}$/;

/**
 * Addresses that work without our key, because SDKs fetch results without it: `kind (1) || asset or upload (16) || end in
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

  /** @param id of an asset or an upload (UUID) */
  issue({ keyId }: Pick<Principal, 'keyId'>, id: string, kind: CapabilityKind = 'asset'): string {
    const signed = Buffer.alloc(SIGNED_BYTES);
    signed.writeUInt8(KIND_BYTES[kind], 0);
    Buffer.from(id.replaceAll('-', ''), 'hex').copy(signed, 1);
    signed.writeUIntBE(this.clock.now().getTime() + LINK_LIFETIME_MS, 1 + ASSET_BYTES, EXPIRY_BYTES);
    signed.write(keyId, 1 + ASSET_BYTES + EXPIRY_BYTES, 'latin1');
    return Buffer.concat([signed, this.mac(signed)]).toString('base64url');
  }

  /** @throws ColophonError `not_found`, the same for every reason, so that nothing can be learnt by trying */
  async open(token: string): Promise<Capability> {
    const { principal, id: assetId } = await this.openAs('asset', token);
    return { principal, assetId };
  }

  /** The same for an address of any kind. @throws ColophonError `not_found` */
  async openAs(
    kind: CapabilityKind,
    token: string,
  ): Promise<{ readonly principal: Principal; readonly id: string }> {
    const signed = this.signedPart(token);
    if (signed === undefined) throw noLink();
    const endsAt = signed.readUIntBE(1 + ASSET_BYTES, EXPIRY_BYTES);
    if (signed[0] !== KIND_BYTES[kind] || endsAt <= this.clock.now().getTime()) throw noLink();
    const principal = await this.authenticate.principalOfKey(
      signed.subarray(-KEY_ID_BYTES).toString('latin1'),
    );
    if (principal === undefined) throw noLink();
    return { principal, id: idIn(signed) };
  }

  /**
   * What an address of ours is about, whether it still opens anything or not: for a caller who may use everything of the
   * own organization anyway, and is looked up there. `undefined` for an address that was not given out here.
   */
  subjectOf(token: string): { readonly kind: CapabilityKind; readonly id: string } | undefined {
    const signed = this.signedPart(token);
    const kind = (Object.keys(KIND_BYTES) as CapabilityKind[]).find((one) => KIND_BYTES[one] === signed?.[0]);
    return signed === undefined || kind === undefined ? undefined : { kind, id: idIn(signed) };
  }

  private signedPart(token: string): Buffer | undefined {
    // 90 characters hold four bits more than the 67 bytes: of the spellings of one token only one is taken.
    const bytes = TOKEN.test(token) ? Buffer.from(token, 'base64url') : Buffer.alloc(0);
    if (bytes.byteLength !== SIGNED_BYTES + MAC_BYTES || bytes.toString('base64url') !== token)
      return undefined;
    const signed = bytes.subarray(0, SIGNED_BYTES);
    return timingSafeEqual(this.mac(signed), bytes.subarray(SIGNED_BYTES)) ? signed : undefined;
  }

  private mac(signed: Uint8Array): Buffer {
    return createHmac('sha256', this.macKey).update(signed).digest();
  }
}

function idIn(signed: Buffer): string {
  const hex = signed.subarray(1, 1 + ASSET_BYTES).toString('hex');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

function noLink(): ColophonError {
  return new ColophonError('not_found', 'There is nothing at this address, or not any more.');
}
