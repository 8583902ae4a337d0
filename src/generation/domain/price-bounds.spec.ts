import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { PriceBook, type PriceRow } from '../registry/price-book.js';
import { billedMicroUsd, estimateMicroUsd, type Price } from './price.js';
import { FROM_WORDS } from './work.js';

const ORIGIN = { source: 'a contract', dateRead: '2026-11-22', verified: true } as const;
const SECOND: Price = {
  family: 'per-second',
  tiers: [{ when: {}, microUsdPerSecond: 400_000 }],
  secondsParameter: 'duration',
  maxSeconds: 8,
  ...ORIGIN,
};
const TOKEN: Price = {
  family: 'per-token',
  microUsdPerMillion: { inputText: 5_000_000, inputImage: 1, outputText: 1, outputImage: 1 },
  outputTokens: [{ when: {}, atMost: 1 }],
  inputTokensPerImage: 1,
  ...ORIGIN,
};
const UNIT: Price = {
  family: 'per-image',
  tiers: [{ when: {}, microUsd: 1 }],
  settledBy: { meter: 'unit', microUsd: 3_000 },
  ...ORIGIN,
};

describe('an estimate is never too low', () => {
  it.each([
    {
      shots: [
        { prompt: 'a', duration: 5 },
        { prompt: 'b', duration: 8 },
      ],
    },
    { multi_prompt: [{ prompt: 'a', duration: '5' }] },
    { options: { shots: [[{ seconds: 9 }]] } },
    { options: { duration: 9 } },
  ])('for a film of shots with lengths of their own: %j', (parameters) => {
    expect(() => estimateMicroUsd(SECOND, { duration: 4, ...parameters })).toThrow(
      expect.objectContaining({ code: 'price_unknown' }),
    );
  });

  it.each([{ negative_prompt: null }, { shots: [{ prompt: 'a' }] }, { first_frame_strength: 1 }])(
    'and is one for a film with %j, which says nothing of its length',
    (parameters) => {
      expect(estimateMicroUsd(SECOND, { duration: 4, ...parameters })).toBe(1_600_000n);
    },
  );

  it('for what lies deeper under a name for words', () => {
    for (const name of ['multi_prompt', 'prompt', 'caption'])
      expect(() => estimateMicroUsd(UNIT, { [name]: [{ text: 'a', quality: 'high' }] })).toThrow(
        expect.objectContaining({ code: 'price_unknown' }),
      );
  });

  it('for texts, wherever they stand, and for those that are yet to be written', () => {
    const base = estimateMicroUsd(TOKEN, {});
    const texts = { prompt: [{ text: 'a'.repeat(200) }, 'é'.repeat(50)] };
    expect(estimateMicroUsd(TOKEN, texts) - base).toBe(300n * 5n);
    expect(estimateMicroUsd(TOKEN, {}, { ...FROM_WORDS, textBytes: 300 }) - base).toBe(300n * 5n);
  });
});

describe('a settlement', () => {
  it('is exact by the digits of the reading, rounded up, and never 0', () => {
    expect(billedMicroUsd(UNIT, { unit: 1.1 })).toBe(3_300n);
    expect(billedMicroUsd(UNIT, { unit: 1.0001 })).toBe(3_001n);
    expect(billedMicroUsd(UNIT, { unit: 1e-13 })).toBe(1n);
    expect(billedMicroUsd(UNIT, { unit: 1e9 })).toBe(3_000_000_000_000n);
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1_000_000_000 }),
        fc.integer({ min: 0, max: 6 }),
        (whole, places) => {
          const [digits, scale] = [BigInt(whole) * 3_000n, 10n ** BigInt(places)];
          expect(billedMicroUsd(UNIT, { unit: Number(`${whole}e-${places}`) })).toBe(
            (digits + scale - 1n) / scale,
          );
        },
      ),
    );
  });
});

describe('the price book at the edges of days', () => {
  const day = fc
    .date({ min: new Date('2026-01-01'), max: new Date('2027-12-31'), noInvalidDate: true })
    .map((date) => date.toISOString().slice(0, 10));
  const rows = fc.array(fc.tuple(fc.option(day, { nil: undefined }), fc.integer({ min: 1, max: 1_000 })), {
    minLength: 1,
    maxLength: 8,
  });

  it('has the newest row that has begun, from its first day on, and none before', () => {
    fc.assert(
      fc.property(rows, day, (given, on) => {
        const own = given.map(([validFrom, microUsd]): PriceRow => ({
          provider: 'fal',
          endpoint: 'edge/case',
          price: {
            family: 'per-image',
            tiers: [{ when: {}, microUsd }],
            ...ORIGIN,
            ...(validFrom === undefined ? {} : { validFrom }),
          },
        }));
        const book = new PriceBook(own);
        const begun = own.map(({ price }) => price.validFrom ?? '').filter((from) => from <= on);
        const found = book.find('fal', 'edge/case', on);
        expect(found === undefined).toBe(begun.length === 0);
        if (found !== undefined) expect(found.validFrom ?? '').toBe(begun.sort().at(-1));
        for (const from of begun.filter((one) => one !== ''))
          expect(book.find('fal', 'edge/case', from)?.validFrom).toBe(from);
      }),
    );
  });
});
