import { z } from 'zod';
import { sha256Hex, token } from '../entry-fields.js';

/** Why a key is given up, in the words of RFC 5280 section 5.3.1; never in free words. */
export const KEY_COMPROMISE_REASONS = ['key_compromise', 'ca_compromise', 'suspected_compromise'] as const;

export type KeyCompromiseReason = (typeof KEY_COMPROMISE_REASONS)[number];

/** Base64 of the DER of a certificate; chains of up to six of them leave an entry below its 65,535 bytes. */
const certificate = z
  .string()
  .regex(/^[A-Za-z0-9+/]{1,9000}={0,2}$/, 'expected base64 of at most 9,000 characters');

const keyActivated = {
  certificateSha256: sha256Hex,
  spkiSha256: sha256Hex,
  algorithm: token,
  notBefore: token,
  notAfter: token,
  /** Leaf first, root last. */
  chain: z.array(certificate).min(1).max(6),
};

const keyRetired = { certificateSha256: sha256Hex };

const keyCompromised = {
  certificateSha256: sha256Hex,
  reason: z.enum(KEY_COMPROMISE_REASONS),
  assets: z.int().nonnegative(),
};

/** Keys that sign manifests and reports. */
export const KEY_ENTRIES = {
  /** From now on manifests are signed with this key. */
  'claim_key.activated': z.strictObject(keyActivated),
  /** Superseded, in order: what it signed stays good. */
  'claim_key.retired': z.strictObject(keyRetired),
  /** Somebody else may have signed with it. `assets` counts what was signed with it in this log. */
  'claim_key.compromised': z.strictObject(keyCompromised),
  /** The same for the key that signs reports. */
  'report_key.activated': z.strictObject(keyActivated),
  'report_key.retired': z.strictObject(keyRetired),
  'report_key.compromised': z.strictObject(keyCompromised),
};
