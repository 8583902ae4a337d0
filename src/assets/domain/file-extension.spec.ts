import { describe, expect, it } from '@jest/globals';
import { refuseWrongExtension } from './file-extension.js';

describe('the name of a file', () => {
  it.each([
    ['a.png', 'image/png'],
    ['A.JPEG', 'image/jpeg'],
    ['notes.md', 'text/plain'],
    ['film.final.mp4', 'video/mp4'],
    ['without', 'audio/ogg'],
    ['odd.xyz', 'image/png'],
    [undefined, 'image/png'],
  ] as const)('%s may be %s', (name, type) => {
    expect(() => {
      refuseWrongExtension(name, type);
    }).not.toThrow();
  });

  it.each([
    ['a.png', 'text/plain'],
    ['a.html', 'image/png'],
    ['a.png.js', 'image/png'],
    ['film.mp4', 'video/webm'],
    ['dossier.pdf', 'application/json'],
  ] as const)('%s is not %s', (name, type) => {
    expect(() => {
      refuseWrongExtension(name, type);
    }).toThrow(/ends in/);
  });
});
