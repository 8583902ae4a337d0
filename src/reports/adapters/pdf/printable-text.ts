/** Longest text that is printed; the attached JSON has all of it. */
const MAX_PRINTED_CHARACTERS = 20_000;
const MAX_COMBINING_MARKS = 3;

export const REPLACEMENT = '\ufffd';

/** Every font of ours has these, and none of them needs a look. */
const PLAIN_ASCII = /^[\x20-\x7e\n]*$/;

/** Controls that change the direction or hide the end of a text: they could make it read as something else. */
const BIDI_CONTROL = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/**
 * Text of strangers as it may stand on paper. What cannot be printed is not dropped but shown as a replacement
 * character or by its number, so that nobody reads less, or something else, than was written.
 *
 * @param hasGlyph whether the font can print a code point
 */
export function printableText(text: string, hasGlyph: (codePoint: number) => boolean): string {
  const cut = text.length > MAX_PRINTED_CHARACTERS;
  if (!cut && PLAIN_ASCII.test(text)) return text;
  const printed = [...(cut ? text.slice(0, MAX_PRINTED_CHARACTERS) : text).normalize('NFC')];
  let marks = 0;
  const characters = printed.map((character) => {
    if (character === '\n') return character;
    marks = /\p{M}/u.test(character) ? marks + 1 : 0;
    if (marks > MAX_COMBINING_MARKS) return marks === MAX_COMBINING_MARKS + 1 ? REPLACEMENT : '';
    return printableCharacter(character, hasGlyph);
  });
  const rest = `\n[${text.length - MAX_PRINTED_CHARACTERS} more characters: see dossier.json]`;
  return characters.join('') + (cut ? rest : '');
}

function printableCharacter(character: string, hasGlyph: (codePoint: number) => boolean): string {
  const codePoint = character.codePointAt(0) ?? 0;
  if (character === '\t') return '    ';
  if (character === '\r') return '';
  if (character.search(BIDI_CONTROL) === 0)
    return `[U+${codePoint.toString(16).toUpperCase().padStart(4, '0')}]`;
  // Joiners and variation selectors have no picture of their own; the character beside them has.
  if (/[\p{Default_Ignorable_Code_Point}]/u.test(character)) return '';
  if (/\p{Z}/u.test(character)) return /\p{Zs}/u.test(character) ? ' ' : '\n';
  if (/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}]/u.test(character)) return REPLACEMENT;
  return hasGlyph(codePoint) ? character : REPLACEMENT;
}
