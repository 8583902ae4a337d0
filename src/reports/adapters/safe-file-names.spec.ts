import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { assetPath, SAFE_PATH } from '../domain/bundle-format.js';
import { safeFileNames } from './safe-file-names.js';

describe('file names in a bundle', () => {
  it('are safe everywhere and never equal, whatever they were', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 300 }), { maxLength: 20 }), (names) => {
        const safe = safeFileNames(names);
        expect(new Set(safe.map((name) => name.toLowerCase())).size).toBe(names.length);
        for (const name of safe) expect(assetPath(name)).toMatch(SAFE_PATH);
      }),
    );
  });

  it('keep what is harmless', () => {
    const names = [
      '../../etc/passwd',
      'Teapot, final.png',
      'teapot_final.PNG',
      '.bashrc',
      'gr\u00fc\u00dfe.png',
      '\u6f22.png',
    ];
    const safe = ['etc_passwd', 'Teapot_final.png', 'teapot_final-2.PNG', 'bashrc', 'gru_e.png', 'png'];
    expect(safeFileNames(names)).toEqual(safe);
  });
});
