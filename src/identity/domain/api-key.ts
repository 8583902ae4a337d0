import { randomInt, timingSafeEqual } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { sha256 } from '../../shared/bytes.js';

/** `live` works for real and costs money; `test` never reaches a paid provider. */
export const KEY_MODES = ['live', 'test'] as const;
export type KeyMode = (typeof KEY_MODES)[number];

export interface ParsedApiKey {
  readonly mode: KeyMode;
  readonly id: string;
  readonly secret: string;
}

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const ID_LENGTH = 12;
/** 43 base62 characters hold 256 bits. */
const SECRET_LENGTH = 43;
const CHECKSUM_LENGTH = 6;
const SHAPE = `clp_(live|test)_([0-9A-Za-z]{${ID_LENGTH}})_([0-9A-Za-z]{${SECRET_LENGTH}})_([0-9A-Za-z]{${CHECKSUM_LENGTH}})`;
const PATTERN = new RegExp(`^${SHAPE}$`);
const ANYWHERE = new RegExp(SHAPE);

/** `clp_<mode>_<id>_<secret>_<checksum>`. Shown once; only {@link secretSha256} of it is stored. */
export function generateApiKey(mode: KeyMode): ParsedApiKey & { readonly text: string } {
  const id = randomBase62(ID_LENGTH);
  const secret = randomBase62(SECRET_LENGTH);
  const body = `clp_${mode}_${id}_${secret}`;
  return { mode, id, secret, text: `${body}_${checksum(body)}` };
}

/** `undefined` for anything malformed. The checksum lets scanners and this function reject fakes without a look-up. */
export function parseApiKey(text: string): ParsedApiKey | undefined {
  const match = PATTERN.exec(text);
  if (!match) return undefined;
  const [, mode, id, secret, given] = match as unknown as [string, KeyMode, string, string, string];
  return checksum(`clp_${mode}_${id}_${secret}`) === given ? { mode, id, secret } : undefined;
}

/** Whether what looks like a key stands anywhere in a text, whoever's it is. */
export function holdsApiKey(text: string): boolean {
  return ANYWHERE.test(text);
}

/** A 256-bit random secret needs no slow hash: guessing it is as hard as guessing the hash. */
export function secretSha256(secret: string): Buffer {
  return sha256(secret);
}

export function secretMatches(secret: string, storedSha256: Uint8Array): boolean {
  return storedSha256.length === 32 && timingSafeEqual(secretSha256(secret), storedSha256);
}

/** CRC-32 in base62: 62^6 > 2^32. */
function checksum(body: string): string {
  let rest = crc32(body);
  let text = '';
  for (let position = 0; position < CHECKSUM_LENGTH; position++) {
    text = BASE62.charAt(rest % 62) + text;
    rest = Math.floor(rest / 62);
  }
  return text;
}

function randomBase62(length: number): string {
  return Array.from({ length }, () => BASE62.charAt(randomInt(62))).join('');
}
