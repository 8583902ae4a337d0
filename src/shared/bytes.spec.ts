import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { sha256, sha256Hex } from './bytes.js';

describe('SHA-256', () => {
  it('is that of FIPS 180-4', () => {
    expect(sha256Hex('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
    expect(sha256Hex()).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  });

  it('of several chunks is that of their concatenation, of text that of its UTF-8', () => {
    const chunk = fc.oneof(fc.string({ unit: 'grapheme' }), fc.uint8Array());
    fc.assert(
      fc.property(fc.array(chunk, { maxLength: 4 }), (chunks) => {
        const bytes = Buffer.concat(chunks.map((each) => Buffer.from(each as string)));
        const expected = createHash('sha256').update(bytes).digest();
        expect(sha256(...chunks).equals(expected)).toBe(true);
        expect(sha256Hex(...chunks)).toBe(expected.toString('hex'));
        expect(sha256Hex(bytes)).toBe(expected.toString('hex'));
      }),
    );
  });
});
