const MAX_LENGTH = 400;

/**
 * Text from outside on a terminal: one line, bounded, and without characters that move the cursor, hide text or
 * make it read in another order than it is stored.
 */
export function printable(text: string, maxLength = MAX_LENGTH): string {
  const safe = text.slice(0, maxLength + 1).replaceAll(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/gu, '\ufffd');
  return safe.length > maxLength ? `${safe.slice(0, maxLength)}...` : safe;
}

/** One JSON document in which such characters are escaped, so that it is as safe to look at as to parse. */
export function printableJson(value: unknown): string {
  const text = JSON.stringify(value, null, 2);
  return text.replaceAll(/[\u007f-\u009f\p{Cf}\p{Co}\p{Zl}\p{Zp}]/gu, (character) =>
    Array.from({ length: character.length }, (_, i) => unicodeEscape(character.charCodeAt(i))).join(''),
  );
}

function unicodeEscape(codeUnit: number): string {
  return `\\u${codeUnit.toString(16).padStart(4, '0')}`;
}
