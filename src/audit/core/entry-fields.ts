import { z } from 'zod';

/** The building blocks of entry data. Every text is bounded and printable: an entry is read by people in court. */

/** Lower-case hexadecimal SHA-256. */
export const sha256Hex = z.string().regex(/^[0-9a-f]{64}$/, 'expected 64 lower-case hexadecimal digits');

/** An id as the API shows it, e.g. `ast_018f...`. No "@": an e-mail address is not an id. */
export const id = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$/, 'expected an id of 1 to 128 characters');

/** A short machine word such as `hero-image`, `c2pa.color_adjustments` or `upstream_timeout`. */
export const token = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._:/+-]{0,127}$/, 'expected a word of 1 to 128 characters');

/** A model listing, `<model>@<channel>`; `none` for a finding about no listing in particular. */
export const listingId = z
  .string()
  .regex(/^(?:none|[a-z0-9][a-z0-9._-]{0,79}@[a-z0-9-]{1,40})$/, 'expected a model listing id');

/** Text without space or control characters, e.g. a URL or a URN. */
export const identifier = z.string().regex(/^[\x21-\x7e]{1,512}$/, 'expected printable ASCII without spaces');

/** A name that people gave. Control characters and bidirectional overrides could hide what it says. */
export const name = z
  .string()
  .regex(/^[^\p{Cc}\p{Cs}\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]{1,200}$/u, {
    error: 'expected 1 to 200 printable characters',
  });

/** Integer micro-USD (1 USD = 1,000,000) as decimal text, because JSON numbers are not exact. */
export const microUsd = z.string().regex(/^(?:0|[1-9][0-9]{0,18})$/, 'expected integer micro-USD as text');

/** Number of bytes. */
export const sizeBytes = z.int().nonnegative();

export const mediaType = z.string().regex(/^[a-z]+\/[a-z0-9][a-z0-9.+-]{0,126}$/, 'expected a media type');

/** base64url(SHA-256), 43 characters; the last one carries four bits only. */
export const commitment = z
  .string()
  .regex(/^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/, 'expected a base64url SHA-256');

export const mode = z.enum(['live', 'test']);
