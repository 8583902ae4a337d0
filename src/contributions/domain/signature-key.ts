import { canonicalJson } from '../../shared/canonical-json.js';
import { publicId } from '../../shared/ids.js';

/** JWS algorithms (RFC 7518, RFC 8037): P-256 with SHA-256, and Ed25519. */
export const SIGNATURE_ALGORITHMS = ['ES256', 'EdDSA'] as const;
export type SignatureAlgorithm = (typeof SIGNATURE_ALGORITHMS)[number];

export const KEY_REVOCATION_REASONS = ['superseded', 'lost', 'compromised', 'left'] as const;
export type KeyRevocationReason = (typeof KEY_REVOCATION_REASONS)[number];

/** RFC 7517, public members only. `y` is absent for Ed25519. */
export interface PublicJwk {
  readonly kty: 'EC' | 'OKP';
  readonly crv: 'P-256' | 'Ed25519';
  readonly x: string;
  readonly y?: string | undefined;
}

export interface SignatureKey {
  readonly id: string;
  readonly principalId: string;
  readonly algorithm: SignatureAlgorithm;
  /** RFC 7638, lower-case hex SHA-256. */
  readonly thumbprint: string;
  readonly jwk: PublicJwk;
  readonly entryId: string;
  readonly createdAt: Date;
  readonly revoked: { readonly at: Date; readonly reason: KeyRevocationReason } | undefined;
}

/**
 * What a person signs to register a key: canonical JSON of exactly this object, with the key itself. Without it anybody
 * could put another's public key down as their own.
 */
export function registrationText(organizationId: string, principalId: string, thumbprint: string): string {
  return canonicalJson({
    v: 1,
    type: 'colophon.signature-key',
    organizationId: publicId('organization', organizationId),
    principalId: publicId('principal', principalId),
    thumbprint,
  }).toString('utf8');
}

/** The members that make the key, in a form that has a canonical one. */
export function publicMembers({ kty, crv, x, y }: PublicJwk): {
  kty: PublicJwk['kty'];
  crv: PublicJwk['crv'];
  x: string;
  y?: string;
} {
  return { kty, crv, x, ...(y === undefined ? {} : { y }) };
}
