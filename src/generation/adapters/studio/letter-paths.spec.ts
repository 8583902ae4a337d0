import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { drawableText, textPath } from './letter-paths.js';

describe('letter paths', () => {
  it('spells accents and ligatures with plain letters and other scripts with dots', () => {
    expect(drawableText('Ångström')).toBe('ANGSTROM');
    expect(drawableText('Straße Æsir Łódź')).toBe('STRASSE AESIR LODZ');
    expect(drawableText('日本')).toBe('··');
  });

  it('makes path data only, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
        const { data, width } = textPath(text, 40);
        expect(data).toMatch(/^[MLHVCAZ0-9. -]*$/);
        expect(width).toBeGreaterThan(0);
        expect(data).not.toContain('NaN');
      }),
    );
  });

  it('sets letters side by side', () => {
    expect(textPath('II', 40).data).toBe('M0 0V100 M41 0V100');
    expect(textPath('AB', 40).width).toBe(84 + 40 + 58);
  });
});
