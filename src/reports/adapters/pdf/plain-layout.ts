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

/** What of a font of the library is used here. */
export interface LayoutFont {
  layout(text: string, features?: unknown): Run;
  glyphForCodePoint(codePoint: number): Glyph;
}

/** Characters that stand one beside the other, whatever their neighbors are: no joining, no marks above or below. */
const PLAIN = /^[\x20-\x7e\u00a0-\u024f\u2010-\u2027\u2030-\u205e\u20ac\u2122\ufffd]*$/;

/**
 * Lets a font set plain text without its tables for substitution and positioning: half of the time that a report takes
 * goes into these, and what they add is kerning. Texts in scripts that need them are set with them as before.
 */
export function setPlainTextPlainly(font: LayoutFont): void {
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
