import { z } from 'zod';

/**
 * Control characters, unpaired surrogates, marks that make text read in another order than it is stored, and whatever
 * else cannot be seen (fillers, joiners, tags, other spaces): with one of these two names look the same and are not.
 */
const UNSAFE_IN_NAME =
  /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]|(?! )\p{Zs}| {2}/u;
/** In longer text line breaks and tabs are welcome. NUL never is: PostgreSQL cannot store it. */
const UNSAFE_IN_TEXT = /(?![\t\n\r])[\p{Cc}\p{Cs}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/u;

/** Scripts that spell with joiners between letters (Unicode Standard Annex 31, section 2.3). */
const SCRIPTS = [
  ...[
    'Arabic',
    'Bengali',
    'Devanagari',
    'Gujarati',
    'Gurmukhi',
    'Kannada',
    'Khmer',
    'Malayalam',
    'Mongolian',
  ],
  ...['Myanmar', 'Oriya', 'Sinhala', 'Syriac', 'Tamil', 'Telugu', 'Tibetan'],
];
const SPELLED = `[${SCRIPTS.map((script) => String.raw`\p{Script=${script}}`).join('')}]`;
/** Joiners where they are spelling, or make one picture of several; the selector after a picture. */
const WELCOME_JOINERS = new RegExp(
  String.raw`(?<=${SPELLED})[\u200c\u200d](?=${SPELLED})|(?<=\p{Extended_Pictographic})\ufe0f|(?<=\p{Extended_Pictographic}\ufe0f?)\u200d(?=\p{Extended_Pictographic})`,
  'gu',
);

/** A name that people give and others must be able to trust what they read. Kept in the form NFC. */
export function nameSchema(maxLength = 100): z.ZodType<string> {
  return z
    .string()
    .min(1)
    .max(maxLength)
    .normalize('NFC')
    .refine(
      (text) => !UNSAFE_IN_NAME.test(text.replace(WELCOME_JOINERS, '')),
      'must not hold control characters, bidirectional marks or others that cannot be seen, nor spaces other than single ordinary ones',
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
