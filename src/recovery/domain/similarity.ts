/** Bits of the fingerprint. */
export const CODE_BITS = 256;

/**
 * In how many of 256 bits two pictures may differ and still be told as similar. Chosen by `npm run bench --
 * recovery-recall` (docs/recovery.md).
 */
export const MAX_DISTANCE = 40;
