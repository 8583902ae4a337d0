import { z } from 'zod';

/** Control characters, unpaired surrogates, and marks that make text read in another order than it is stored. */
const UNSAFE_IN_NAME = /[\p{Cc}\p{Cs}\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/u;
/** In longer text line breaks and tabs are welcome. NUL never is: PostgreSQL cannot store it. */
const UNSAFE_IN_TEXT = /(?![\t\n\r])[\p{Cc}\p{Cs}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/u;

/** A name that people give and others must be able to trust what they read. */
export function nameSchema(maxLength = 100): z.ZodType<string> {
  return z
    .string()
    .min(1)
    .max(maxLength)
    .refine(
      (text) => !UNSAFE_IN_NAME.test(text),
      'must not hold control characters or bidirectional overrides',
    )
    .refine((text) => text.trim() === text, 'must not begin or end with white space');
}

export function textSchema(maxLength: number): z.ZodType<string> {
  return z
    .string()
    .min(1)
    .max(maxLength)
    .refine(
      (text) => !UNSAFE_IN_TEXT.test(text),
      'must not hold control characters or bidirectional overrides',
    );
}
