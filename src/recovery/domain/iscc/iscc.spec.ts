import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decodeBase32, encodeBase32 } from './base32.js';
import { hammingDistance, imageCodeBits, imageUnit } from './image-code.js';
import {
  IsccFormatError,
  type IsccUnit,
  parsePrinted,
  parseSequence,
  printUnit,
  unitBytes,
} from './iscc-unit.js';

/** Origin: test/vectors/iscc/ORIGIN.md */
const vectors = JSON.parse(
  readFileSync(new URL('../../../../test/vectors/iscc/image-and-codec.json', import.meta.url), 'utf8'),
) as {
  image: Record<string, { inputs: [number[], number]; outputs: { iscc: string } }>;
  units: Record<string, Record<string, string>>;
};

describe('the image code', () => {
  it.each(Object.entries(vectors.image))('%s is that of the standard', (_name, { inputs, outputs }) => {
    const [pixels, bits] = inputs;
    expect(printUnit(imageUnit(imageCodeBits(pixels).slice(0, bits / 8)))).toBe(outputs.iscc);
  });

  it('does not change with brightness, which is in the first coefficient alone', () => {
    const [pixels] = vectors.image.test_0003_img_256?.inputs ?? [[]];
    const brighter = pixels.map((value) => value + 20);
    expect(hammingDistance(imageCodeBits(pixels), imageCodeBits(brighter))).toBeLessThanOrEqual(4);
  });

  it('is over 1,024 values and no other number', () => {
    expect(() => imageCodeBits(new Uint8Array(1023))).toThrow('32 x 32');
  });
});

describe('reading and printing', () => {
  const all = Object.entries(vectors.units).flatMap(([kind, cases]) =>
    Object.entries(cases).map(([name, iscc]) => [`${kind} ${name}`, iscc] as const),
  );

  it.each(all)('%s survives', (_name, iscc) => {
    const units = parsePrinted(iscc);
    expect(units).toHaveLength(1);
    expect(units.map(printUnit)).toEqual([iscc]);
  });

  const unit: fc.Arbitrary<IsccUnit> = fc.record({
    mainType: fc.integer({ min: 0, max: 4 }),
    subType: fc.integer({ min: 0, max: 4679 }),
    version: fc.integer({ min: 0, max: 4679 }),
    body: fc
      .integer({ min: 1, max: 8 })
      .chain((words) => fc.uint8Array({ minLength: 4 * words, maxLength: 4 * words })),
  });

  it('gives back any sequence of units', () => {
    fc.assert(
      fc.property(fc.array(unit, { minLength: 1, maxLength: 8 }), (units) => {
        const bytes = Buffer.concat(units.map(unitBytes));
        expect(parseSequence(bytes).map(unitBytes)).toEqual(units.map(unitBytes));
      }),
    );
  });

  it('reads nothing, or exactly what was written, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        try {
          expect(Buffer.concat(parseSequence(bytes).map(unitBytes))).toEqual(Buffer.from(bytes));
        } catch (error) {
          expect(error).toBeInstanceOf(IsccFormatError);
        }
      }),
    );
  });

  // The rejected sequences of IEP-0020.
  it.each([
    ['nothing', ''],
    ['a header filled up with something', '28000100000000'],
    ['288 bits', `200800${'00'.repeat(36)}`],
    ['a body that is cut off', '3000000000'],
    ['a byte too many', '30000000000000'],
    ['a composed code', '5005578c7c8fbfbdb58fa88248c53a852c8d05b41f3472493225a522af4a2c9cbf6a'],
    ['an id', '60100000000000000000'],
  ])('refuses %s', (_what, hex) => {
    expect(() => parseSequence(Buffer.from(hex, 'hex'))).toThrow(IsccFormatError);
  });

  it('keeps a unit whose subtype it does not know', () => {
    expect(parseSequence(Buffer.from('270000000000', 'hex'))).toMatchObject([{ mainType: 2, subType: 7 }]);
  });
});

describe('base32', () => {
  // RFC 4648 section 10
  it.each([
    ['', ''],
    ['f', 'MY'],
    ['fo', 'MZXQ'],
    ['foo', 'MZXW6'],
    ['foob', 'MZXW6YQ'],
    ['fooba', 'MZXW6YTB'],
    ['foobar', 'MZXW6YTBOI'],
  ])('%s', (text, printed) => {
    expect(encodeBase32(Buffer.from(text))).toBe(printed);
    expect(Buffer.from(decodeBase32(printed.toLowerCase()) ?? []).toString()).toBe(text);
  });

  it.each(['M', 'MZX', 'MZ', 'M1', 'MZXW6YT='])('%s is not base32', (text) => {
    expect(decodeBase32(text)).toBeUndefined();
  });
});
