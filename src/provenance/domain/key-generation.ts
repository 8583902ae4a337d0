import { type SigningAlgorithm } from './signing-algorithm.js';

/** What a key signs. Never two things: one that is stolen or misused must not take the other with it. */
export const KEY_PURPOSES = ['claim', 'report'] as const;
export type KeyPurpose = (typeof KEY_PURPOSES)[number];

/**
 * - `pending`: made or named, signs nothing yet; it may wait for its certificate.
 * - `active`: signs. One per purpose.
 * - `retiring`: superseded; what was being signed at that moment may still be recorded.
 * - `retired`: signs no more. What it signed stays good.
 * - `compromised`: somebody else may have signed with it.
 */
export const KEY_STATES = ['pending', 'active', 'retiring', 'retired', 'compromised'] as const;
export type KeyState = (typeof KEY_STATES)[number];

export interface KeyCertificate {
  /** PEM, leaf first, root last. */
  readonly chainPem: string;
  /** Of the DER of the leaf, lower-case hexadecimal. */
  readonly sha256: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** One key in its life. A new certificate is always a new generation: keys are not certified twice. */
export interface KeyGeneration {
  /** UUID. */
  readonly id: string;
  readonly purpose: KeyPurpose;
  /** Address of exactly this key, see SigningKey. */
  readonly reference: string;
  readonly algorithm: SigningAlgorithm;
  /** SHA-256 of the DER of the public key. */
  readonly spkiSha256: string;
  readonly state: KeyState;
  /** Certified by the development authority of this program. */
  readonly development: boolean;
  readonly certificate: KeyCertificate | undefined;
  readonly createdAt: Date;
  /** When it came into its state. */
  readonly changedAt: Date;
}

export type KeyEventKind = 'created' | 'certified' | 'activated' | 'retiring' | 'retired' | 'compromised';

/** Events that stand in every log. */
export const LOGGED_KEY_EVENTS = ['activated', 'retired', 'compromised'] as const;
export type LoggedKeyEventKind = (typeof LOGGED_KEY_EVENTS)[number];

export interface LoggedKeyEvent {
  readonly ordinal: number;
  readonly event: LoggedKeyEventKind;
  readonly reason: string | undefined;
  readonly key: KeyGeneration;
}

const WAYS: Readonly<Record<KeyState, readonly KeyState[]>> = {
  pending: ['active', 'compromised'],
  active: ['retiring', 'compromised'],
  retiring: ['retired', 'compromised'],
  retired: ['compromised'],
  compromised: [],
};

/** There is no way back: a key that was given up is never taken up again. */
export function mayBecome(from: KeyState, to: KeyState): boolean {
  return WAYS[from].includes(to);
}

const DAY_MS = 86_400_000;
/** A certificate authority may take weeks. */
export const EXPIRY_WARNING_MS = 30 * DAY_MS;

export type CertificateStanding = 'not_yet_valid' | 'valid' | 'expires_soon' | 'expired';

export function certificateStanding({ notBefore, notAfter }: KeyCertificate, at: Date): CertificateStanding {
  if (at < notBefore) return 'not_yet_valid';
  if (at >= notAfter) return 'expired';
  return notAfter.getTime() - at.getTime() < EXPIRY_WARNING_MS ? 'expires_soon' : 'valid';
}
