/**
 * Breaks a text into lines of at most `width`. Words that are longer than a line (hashes, addresses, attacks) are broken
 * where the line ends; nothing is ever cut off. O(n) measurements of short pieces.
 */
export function wrapText(text: string, width: number, measure: (piece: string) => number): string[] {
  return text.split('\n').flatMap((paragraph) => wrapParagraph(paragraph.trimEnd(), width, measure));
}

function wrapParagraph(text: string, width: number, measure: (piece: string) => number): string[] {
  const lines: string[] = [];
  let line = '';
  let lineWidth = 0;
  for (const word of text.split(/(?<= )/)) {
    // A trailing space may hang over the edge.
    const wordWidth = measure(word.trimEnd());
    if (lineWidth + wordWidth <= width) {
      line += word;
      lineWidth += measure(word);
      continue;
    }
    if (line !== '') lines.push(line.trimEnd());
    const pieces = wordWidth <= width ? [word] : breakWord(word, width, measure);
    lines.push(...pieces.slice(0, -1));
    line = pieces.at(-1) ?? '';
    lineWidth = measure(line);
  }
  lines.push(line.trimEnd());
  return lines;
}

function breakWord(word: string, width: number, measure: (piece: string) => number): string[] {
  const pieces: string[] = [];
  let piece = '';
  let pieceWidth = 0;
  for (const character of word) {
    const characterWidth = measure(character);
    if (piece !== '' && pieceWidth + characterWidth > width) {
      pieces.push(piece);
      piece = '';
      pieceWidth = 0;
    }
    piece += character;
    pieceWidth += characterWidth;
  }
  return [...pieces, piece];
}
