/**
 * What the fake authority does with one request. Plans are used up in order; without one everything goes well.
 *
 * Transport: `down` (connection lost), `slow` (no answer until the fake stops), `http-500`, `redirect`,
 * `html` (200 with a page), `huge` (10 MB), `garbage` (200 with random bytes), `truncated` (DER cut in the middle),
 * `trailing` (bytes after the DER).
 * Response: `rejection` (status 2), `granted-with-mods` (status 1 with a good token), `no-token` (granted, nothing).
 * Token: `wrong-imprint`, `sha1-imprint`, `wrong-nonce`, `no-nonce`, `time-off` (a year ahead, within the
 * certificate's validity), `bad-time`, `forged-content` (changed after signing), `bad-signature`, `sha1-signature`,
 * `no-certificates`, `missing-ess-cert-id`, `wrong-ess-cert-id`, `two-signers`, `wrong-content-type`.
 * Certificate: `wrong-eku`, `extra-eku`, `eku-not-critical`, `expired-certificate`, `unknown-issuer`,
 * `issuer-not-ca`, `path-too-long`, `critical-extension`, `no-signing-key-usage`.
 */
export const FAULTS = [
  'down',
  'slow',
  'http-500',
  'redirect',
  'html',
  'huge',
  'garbage',
  'truncated',
  'trailing',
  'rejection',
  'granted-with-mods',
  'no-token',
  'wrong-imprint',
  'sha1-imprint',
  'wrong-nonce',
  'no-nonce',
  'time-off',
  'bad-time',
  'forged-content',
  'bad-signature',
  'sha1-signature',
  'no-certificates',
  'missing-ess-cert-id',
  'wrong-ess-cert-id',
  'two-signers',
  'wrong-content-type',
  'wrong-eku',
  'extra-eku',
  'eku-not-critical',
  'expired-certificate',
  'unknown-issuer',
  'issuer-not-ca',
  'path-too-long',
  'critical-extension',
  'no-signing-key-usage',
] as const;

export type Fault = (typeof FAULTS)[number];
