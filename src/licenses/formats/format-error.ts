/** Why a document is refused as a whole. The union is closed; a code never changes its meaning. */
export const FORMAT_ERROR_CODES = [
  'too-large',
  'too-deep',
  'too-many-values',
  'too-long',
  'not-utf8',
  'malformed',
  'header-missing',
  'header-not-closed',
  'multiple-documents',
  'duplicate-key',
  'forbidden-key',
  'alias-not-allowed',
  'tag-not-allowed',
  'non-finite-number',
  'wrong-type',
  'missing-field',
  'duplicate-id',
  'cyclic-reference',
  'context-not-supported',
  'version-not-supported',
  'format-not-recognized',
] as const;
export type FormatErrorCode = (typeof FORMAT_ERROR_CODES)[number];

/** Where something stands in a document. */
export interface Place {
  /** JSON pointer (RFC 6901), for cards into the YAML header; empty for the whole document. */
  readonly pointer: string;
  /** From 1, in the whole document. */
  readonly line: number;
  /** From 1, in UTF-16 code units. */
  readonly column: number;
}

export const START: Place = { pointer: '', line: 1, column: 1 };

/** A document that is refused. The message never quotes more than a short key of the document. */
export class FormatError extends Error {
  constructor(
    readonly code: FormatErrorCode,
    readonly place: Place,
    message: string,
  ) {
    super(message);
    this.name = 'FormatError';
  }
}

/** `text` short enough for a message: control characters replaced, at most `max` characters. */
export function shortened(text: string, max = 80): string {
  const visible = text.replace(/[\p{Cc}\p{Cs}]/gu, '\u{fffd}');
  if (visible.length <= max) return visible;
  // The cut may fall into a surrogate pair; half of one has no canonical JSON form.
  return `${visible.slice(0, max - 1).replace(/\p{Cs}$/u, '')}\u2026`;
}
