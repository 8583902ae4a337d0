import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import canonicalize from 'canonicalize';

const canonical = canonicalize as unknown as (value: unknown) => string;

/** A person's own key, as a program of theirs would hold it: independent of the code that verifies. */
export class ContributorKey {
  readonly jwk: { readonly kty: string; readonly crv: string; readonly x: string; readonly y?: string };
  private readonly privateKey: KeyObject;

  constructor(readonly algorithm: 'EdDSA' | 'ES256' = 'EdDSA') {
    const pair =
      algorithm === 'EdDSA'
        ? generateKeyPairSync('ed25519')
        : generateKeyPairSync('ec', { namedCurve: 'P-256' });
    this.privateKey = pair.privateKey;
    const { kty = '', crv = '', x = '', y } = pair.publicKey.export({ format: 'jwk' });
    this.jwk = y === undefined ? { kty, crv, x } : { kty, crv, x, y };
  }

  /** RFC 7638, hex. */
  async thumbprint(): Promise<string> {
    const digest = await crypto.subtle.digest('SHA-256', Buffer.from(canonical(this.jwk)));
    return Buffer.from(digest).toString('hex');
  }

  /** Compact JWS with detached payload (RFC 7515, appendix F) over the canonical JSON of a value. */
  sign(value: unknown, header: Record<string, unknown> = {}): string {
    const head = Buffer.from(JSON.stringify({ alg: this.algorithm, ...header })).toString('base64url');
    const payload = Buffer.from(canonical(value)).toString('base64url');
    const bytes = Buffer.from(`${head}.${payload}`);
    const signature =
      this.algorithm === 'EdDSA'
        ? sign(null, bytes, this.privateKey)
        : sign('sha256', bytes, { key: this.privateKey, dsaEncoding: 'ieee-p1363' });
    return `${head}..${signature.toString('base64url')}`;
  }

  async registration(me: { organizationId: string; principalId: string }) {
    const { organizationId, principalId } = me;
    const thumbprint = await this.thumbprint();
    const proof = this.sign({
      v: 1,
      type: 'colophon.signature-key',
      organizationId,
      principalId,
      thumbprint,
    });
    return { jwk: this.jwk, proof };
  }
}
