/** Widths in hundredths of the font size, of DejaVu Sans: other fonts of screens are hardly wider. */
const WIDTHS: readonly (readonly [RegExp, number])[] = [
  [/[ijl.,:;!|'()[\] ]/u, 40],
  [/[frt"/\\-]/u, 46],
  [/[mwMW@%\u2026]/u, 102],
  [/[A-Z&<>=+~#$]/u, 80],
  [/[\u0021-\u007e]/u, 65],
  [/\p{Mark}|\p{Default_Ignorable_Code_Point}/u, 0],
  [/[\u00a1-\u024f\u0370-\u06ff]/u, 85],
  [/./su, 110],
];
/** What XML 1.0 cannot hold, however it is escaped, and control characters that nobody sees. */
const NOT_IN_XML = /(?![\t\n\r])\p{Cc}|[\ufffe\uffff]|\p{Cs}/gu;
const ELLIPSIS = '\u2026';

/** What a reader sees as one letter, with its accents and joiners, is never cut in two. */
const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** How wide a text is at most, in pixels, at a font size: signs that a font does not join stand one beside the other. */
export function widthOf(text: string, fontSize: number): number {
  return [...text].reduce(
    (sum, character) =>
      sum + ((WIDTHS.find(([pattern]) => pattern.test(character))?.[1] ?? 0) * fontSize) / 100,
    0,
  );
}

/** The text, or as much of its beginning as there is room for, with an ellipsis. */
export function fitted(text: string, room: number, fontSize: number): string {
  if (widthOf(text, fontSize) <= room) return text;
  let shown = '';
  for (const { segment } of segmenter.segment(text)) {
    if (widthOf(shown + segment + ELLIPSIS, fontSize) > room) break;
    shown += segment;
  }
  return `${shown.trimEnd()}${ELLIPSIS}`;
}

export function escapeXml(content: string): string {
  return content
    .replace(NOT_IN_XML, '\ufffd')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
