import { sha256Hex } from '../../shared/bytes.js';

/**
 * `cls_<organization id>_<secret>`: 32 random bytes in base64url. The organization is not secret; it says in whose rows to
 * look. The secret is stored as its hash only: it is as random as a key, so a slow hash would add nothing.
 */
const TOKEN = /^cls_([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})_([A-Za-z0-9_-]{43})$/;

export const SHARE_SECRET_BYTES = 32;

export interface ShareToken {
  /** UUID. */
  readonly organizationId: string;
  readonly sha256: string;
}

export function formatShareToken(organizationId: string, secret: Buffer): string {
  return `cls_${organizationId.replaceAll('-', '')}_${secret.toString('base64url')}`;
}

/** `undefined` for anything else. */
export function parseShareToken(text: string): ShareToken | undefined {
  const match = TOKEN.exec(text);
  if (!match) return undefined;
  return { organizationId: match.slice(1, 6).join('-'), sha256: sha256Hex(text) };
}
