/** A glyph as the font library gives it. */
interface Glyph {
  readonly advanceWidth: number;
}

interface Position {
  xAdvance: number;
  yAdvance: number;
  xOffset: number;
  yOffset: number;
}

interface Run {
  readonly glyphs: readonly Glyph[];
  readonly positions: readonly Position[];
  readonly advanceWidth: number;
}

/** What of a font of the font library is used here. */
export interface LayoutFont {
  layout(text: string, features?: unknown): Run;
  glyphForCodePoint(codePoint: number): Glyph;
}

/** A position in thousandths of the size of the font, with the width that the font itself gives. */
interface ScaledPosition extends Position {
  readonly advanceWidth: number;
}

/** What of an embedded font of the PDF library is used here. */
export interface EmbeddedFont {
  readonly font: LayoutFont;
  /** Of thousandths of the size to units of the font. */
  readonly scale: number;
  encode(text: string, features?: unknown): [hexadecimal: string[], positions: ScaledPosition[]];
  widthOfString(text: string, sizePoints: number, features?: unknown): number;
}

/** Characters that stand one beside the other, whatever their neighbors are: no joining, no marks above or below. */
const PLAIN = /^[\x20-\x7e\u00a0-\u024f\u2010-\u2027\u2030-\u205e\u20ac\u2122\ufffd]*$/;

/**
 * Measures and encodes plain text character by character: the library makes half a dozen objects for each character of
 * each line, and a report has some hundred thousand of them. What is printed is the same.
 */
export function writePlainTextPlainly(embedded: EmbeddedFont): void {
  setPlainTextPlainly(embedded.font);
  const [encode, widthOfString] = [embedded.encode.bind(embedded), embedded.widthOfString.bind(embedded)];
  const widths = new Map<string, number>();
  const characters = new Map<string, readonly [string, ScaledPosition]>();

  const widthOf = (character: string): number => {
    const known = widths.get(character);
    if (known !== undefined) return known;
    const glyph = embedded.font.glyphForCodePoint(character.codePointAt(0) ?? 0);
    const width = glyph.advanceWidth * embedded.scale;
    widths.set(character, width);
    return width;
  };
  // The library chooses the number that a character has in the part of the font that is embedded.
  const encoded = (character: string): readonly [string, ScaledPosition] => {
    const known = characters.get(character);
    if (known !== undefined) return known;
    const [[hexadecimal = ''], [position]] = encode(character);
    if (position === undefined) throw new Error('a font gives no place to a character');
    const one = [hexadecimal, position] as const;
    characters.set(character, one);
    return one;
  };

  embedded.widthOfString = (text, sizePoints, features) => {
    if (features !== undefined || !PLAIN.test(text)) return widthOfString(text, sizePoints, features);
    let thousandths = 0;
    for (const character of text) thousandths += widthOf(character);
    return (thousandths * sizePoints) / 1000;
  };
  embedded.encode = (text, features) => {
    if (features !== undefined || !PLAIN.test(text)) return encode(text, features);
    const each = [...text].map(encoded);
    return [each.map(([hexadecimal]) => hexadecimal), each.map(([, position]) => position)];
  };
}

/**
 * Lets a font set plain text without its tables for substitution and positioning: half of the time that a report takes
 * goes into these, and what they add is kerning. Texts in scripts that need them are set with them as before.
 */
function setPlainTextPlainly(font: LayoutFont): void {
  const shaped = font.layout.bind(font);
  font.layout = (text, features) =>
    features === undefined && PLAIN.test(text) ? plainRun(font, text) : shaped(text, features);
}

function plainRun(font: LayoutFont, text: string): Run {
  const glyphs = [...text].map((character) => font.glyphForCodePoint(character.codePointAt(0) ?? 0));
  const positions = glyphs.map(({ advanceWidth }) => ({
    xAdvance: advanceWidth,
    yAdvance: 0,
    xOffset: 0,
    yOffset: 0,
  }));
  return {
    glyphs,
    positions,
    // Read after the library has brought the positions to another scale.
    get advanceWidth() {
      return positions.reduce((sum, { xAdvance }) => sum + xAdvance, 0);
    },
  };
}
