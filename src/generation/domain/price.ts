import { z } from 'zod';
import { ColophonError } from '../../shared/errors.js';
import { type MicroUsd } from '../../shared/money.js';
import { type RunValue, textsIn } from './definition-words.js';
import { type MediaKind, named } from './media-kind.js';
import { otherLengths } from './output-length.js';
import { inputMegapixelsOf, megapixelsOf, otherSizes } from './picture-size.js';
import { type PriceProblem, refuseWithoutPrice } from './price-problem.js';
import { otherTraits, PRICE_TRAITS, type PriceTrait } from './price-traits.js';
import { METERS, type Usage } from './usage.js';
import { FROM_WORDS, type InputFacts, type Work } from './work.js';

/**
 * What a way of running a model costs: four unit families, and `free` for what runs here without being metered.
 *
 * - `per-image`: by tier, e.g. of quality and size, with a part for each picture that goes in where the vendor charges it
 * - `per-megapixel`: width x height, rounded up to whole megapixels; the first may cost more than each further one, and
 *   what goes in may cost by the megapixel as well
 * - `per-second`: of the output, by tier
 * - `per-token`: by modality, with an upper bound of output tokens by tier
 * - `ceiling`: the price is not known, and this much is reserved for a step; without the vendor's number it stands
 *
 * All amounts are integer micro-USD. A tier says for which values of which parameters it stands; no condition at all
 * stands for every request.
 */
const microUsd = z.int().min(1).max(1_000_000_000);
const conditionsSchema = z.record(
  z.string().regex(/^[A-Za-z][A-Za-z0-9_]{0,39}$/),
  z
    .array(z.union([z.string().max(40), z.boolean(), z.number()]))
    .min(1)
    .max(60),
);
const tier = <Shape extends z.ZodRawShape>(shape: Shape) =>
  z
    .array(z.strictObject({ when: conditionsSchema.default({}), ...shape }))
    .min(1)
    .max(40);

/** Where a price was read, and how the vendor's own number settles it. */
const common = {
  /** Parameters that must be given a value of a tier: with `auto`, or without, something could be billed that is not known. */
  mustGive: z.array(z.string().max(40)).max(10).optional(),
  /** What the price does not depend on, although a parameter may ask for it, and who says so. */
  sameFor: z
    .strictObject({
      traits: z.array(z.enum(PRICE_TRAITS)).min(1).max(PRICE_TRAITS.length),
      source: z.string().min(1).max(200),
    })
    .optional(),
  /** What one reading of a meter costs, for settlement by the vendor's own number. Absent: the estimate stands. */
  settledBy: z.strictObject({ meter: z.enum(METERS), microUsd }).optional(),
  source: z.string().min(1).max(200),
  /** The first day on which it is known to have been in force. Absent: nothing is said of that. */
  validFrom: z.iso.date().optional(),
  dateRead: z.iso.date(),
  /** Whether the vendor's own price page or answer was read. */
  verified: z.boolean(),
};

export const priceSchema = z.discriminatedUnion('family', [
  z.strictObject({ family: z.literal('free'), ...common }),
  z.strictObject({ family: z.literal('ceiling'), microUsd, ...common }),
  z.strictObject({
    family: z.literal('per-image'),
    tiers: tier({ microUsd }),
    /** What each picture that goes in costs. Absent: the vendor counts the output alone. */
    perInputPicture: microUsd.optional(),
    ...common,
  }),
  z.strictObject({
    family: z.literal('per-megapixel'),
    firstMicroUsd: microUsd,
    furtherMicroUsd: microUsd,
    /** What each megapixel of each picture that goes in costs. Absent: the vendor counts the output alone. */
    inputMicroUsd: microUsd.optional(),
    ...common,
  }),
  z.strictObject({
    family: z.literal('per-second'),
    tiers: tier({ microUsdPerSecond: microUsd }),
    /** The parameter that says how long the output is to be. */
    secondsParameter: z.string().max(40),
    /** The longest output. Reserved when the parameter is not given; more than this is refused. */
    maxSeconds: z.int().min(1).max(3600),
    ...common,
  }),
  z.strictObject({
    family: z.literal('per-token'),
    /** Micro-USD per million tokens: USD per million x 10^6. */
    microUsdPerMillion: z.strictObject({
      inputText: microUsd,
      inputImage: microUsd,
      outputText: microUsd,
      outputImage: microUsd,
    }),
    /** The most that one answer can use, by tier. */
    outputTokens: tier({ atMost: z.int().min(1).max(1_000_000) }),
    /** The most that one input picture can use. */
    inputTokensPerImage: z.int().min(1).max(1_000_000),
    ...common,
  }),
]);
export type Price = z.output<typeof priceSchema>;

type PriceOf<Family extends Price['family']> = Extract<Price, { readonly family: Family }>;

type Conditions = z.output<typeof conditionsSchema>;
type Parameters = Readonly<Record<string, unknown>>;

const TOKENS_PER_RATE = 1_000_000n;

/**
 * Upper bound of the cost of one step, reserved before it is submitted. Where a parameter leaves it open which tier
 * will be billed (`auto`, or not given), the dearest one counts; what may make the output larger, longer or dearer and is
 * not understood has no price.
 * @throws ColophonError `price_unknown` for a value that no tier stands for; `invalid_request` beyond the limits
 */
export function estimateMicroUsd(price: Price, parameters: Parameters, work: Work = FROM_WORDS): MicroUsd {
  refuseWithoutPrice(problemsWith(price, parameters));
  switch (price.family) {
    case 'free':
      return 0n;
    case 'ceiling':
      return BigInt(price.microUsd);
    case 'per-image':
      return (
        dearest(price.tiers, parameters, (tier) => BigInt(tier.microUsd)) +
        BigInt(price.perInputPicture ?? 0) * BigInt(countOf(work, 'image'))
      );
    case 'per-megapixel':
      return ofMegapixels(price, parameters, work);
    case 'per-second': {
      const seconds = BigInt(secondsOf(price, parameters, work));
      return dearest(price.tiers, parameters, (tier) => BigInt(tier.microUsdPerSecond) * seconds);
    }
    case 'per-token':
      return ofTokens(price, parameters, work);
  }
}

/** A price by the second reads the length itself. */
const BESIDE_LENGTH: readonly PriceTrait[] = ['size', 'quality', 'style', 'extras'];
/** A price by the megapixel reads the size itself. */
const BESIDE_SIZE: readonly PriceTrait[] = ['length', 'quality', 'style', 'extras'];

function ofMegapixels(price: PriceOf<'per-megapixel'>, parameters: Parameters, work: Work): MicroUsd {
  if (countOf(work, 'video') > 0)
    throw new ColophonError(
      'price_unknown',
      'A price by the megapixel says nothing of films: record one by the second.',
    );
  const { firstMicroUsd, furtherMicroUsd, inputMicroUsd } = price;
  const output = BigInt(firstMicroUsd) + BigInt(furtherMicroUsd) * BigInt(megapixelsOf(parameters, work) - 1);
  return inputMicroUsd === undefined
    ? output
    : output + BigInt(inputMicroUsd) * BigInt(inputMegapixelsOf(work));
}

function ofTokens(price: PriceOf<'per-token'>, parameters: Parameters, work: Work): MicroUsd {
  if (work.inputs.some(({ media }) => media !== 'image'))
    throw new ColophonError(
      'price_unknown',
      'How many tokens a film, a sound or a 3D model has is not known here: give pictures and words only.',
    );
  const rates = price.microUsdPerMillion;
  const output = dearest(price.outputTokens, parameters, (tier) => BigInt(tier.atMost));
  const outputRate = BigInt(Math.max(rates.outputImage, rates.outputText));
  const pictures = BigInt(countOf(work, 'image')) * BigInt(price.inputTokensPerImage);
  const text = BigInt(bytesOfTextsIn(parameters) + (work.textBytes ?? 0));
  const total = output * outputRate + pictures * BigInt(rates.inputImage) + text * BigInt(rates.inputText);
  return ceilDivide(total, TOKENS_PER_RATE);
}

function countOf({ inputs }: Work, wanted: MediaKind): number {
  return inputs.filter(({ media }) => media === wanted).length;
}

/** What a picture that goes in costs at most is known, however closely it is looked at. */
const INPUT_TOKENS = ['input_fidelity'];

/** Everything that stands against a price, parameter by parameter. */
function problemsWith(price: Price, parameters: Parameters): PriceProblem[] {
  const notGiven = (price.mustGive ?? [])
    .filter((name) => isOpen(parameters[name]))
    .map((path) => ({
      path,
      message: `The price is known only where "${path}" is given, and not as "auto".`,
    }));
  return [...notGiven, ...unpriced(price, parameters)];
}

function unpriced(price: Price, parameters: Parameters): PriceProblem[] {
  switch (price.family) {
    case 'free':
    case 'ceiling':
      return [];
    case 'per-image':
      return beyondTiers(price, price.tiers, parameters, PRICE_TRAITS);
    case 'per-megapixel':
      return [...beyondTiers(price, [], parameters, BESIDE_SIZE), ...otherSizes(parameters)];
    case 'per-second':
      return [
        ...otherLengths(parameters, price.secondsParameter),
        ...beyondTiers(price, price.tiers, parameters, BESIDE_LENGTH, price.secondsParameter),
      ];
    case 'per-token':
      return beyondTiers(price, price.outputTokens, parameters, PRICE_TRAITS, ...INPUT_TOKENS);
  }
}

/** What may make the output dearer and stands in no tier, unless the price says that it costs the same. */
function beyondTiers(
  { sameFor }: Price,
  tiers: readonly { readonly when: Conditions }[],
  parameters: Parameters,
  traits: readonly PriceTrait[],
  ...others: readonly string[]
): PriceProblem[] {
  const known = new Set([...others, ...tiers.flatMap(({ when }) => Object.keys(when))]);
  const open = traits.filter((trait) => sameFor?.traits.includes(trait) !== true);
  return [...otherTraits(parameters, open, (name) => known.has(name)), ...unknownValues(tiers, parameters)];
}

/** What the vendor's own reading comes to, rounded up to whole micro-USD; `undefined` when it does not tell the price. */
export function billedMicroUsd(price: Price, usage: Usage): MicroUsd | undefined {
  if (price.settledBy !== undefined) {
    const reading = usage[price.settledBy.meter];
    return reading === undefined ? undefined : timesReading(BigInt(price.settledBy.microUsd), reading);
  }
  if (price.family !== 'per-token') return undefined;
  const { inputText, inputImage, outputText, outputImage } = price.microUsdPerMillion;
  const readings: [number | undefined, number][] = [
    [usage['input-text-token'], inputText],
    [usage['input-image-token'], inputImage],
    [usage['output-text-token'], outputText],
    [usage['output-image-token'], outputImage],
  ];
  // A bill for input alone would forget the picture: unknown is never 0.
  if (usage['output-image-token'] === undefined && usage['output-text-token'] === undefined) return undefined;
  const total = readings.reduce(
    (sum, [tokens = 0, rate]) => sum + BigInt(Math.ceil(tokens)) * BigInt(rate),
    0n,
  );
  return ceilDivide(total, TOKENS_PER_RATE);
}

/** Exact, by the digits of the reading: as numbers, 3,000 x 1.1 is a little more than 3,300. Never 0. */
function timesReading(rate: bigint, reading: number): bigint {
  const [mantissa = '', exponent = '0'] = String(reading).split('e');
  const [whole = '', fraction = ''] = mantissa.split('.');
  // Readings are below a billion, so what follows an "e" is negative.
  const decimals = fraction.length - Number(exponent);
  return ceilDivide(rate * BigInt(whole + fraction), 10n ** BigInt(decimals));
}

function dearest<Tier extends { readonly when: Conditions }>(
  tiers: readonly Tier[],
  parameters: Parameters,
  costOf: (tier: Tier) => bigint,
): bigint {
  const possible = tiers.filter(({ when }) =>
    Object.entries(when).every(
      ([name, values]) => isOpen(parameters[name]) || isOneOf(parameters[name], values),
    ),
  );
  if (possible.length === 0) {
    throw new ColophonError('price_unknown', 'No price is known for this combination of parameters.');
  }
  return possible.map(costOf).reduce((most, cost) => (cost > most ? cost : most));
}

const MAX_NAMED = 8;

/** A value that no tier names may cost anything. */
function unknownValues(
  tiers: readonly { readonly when: Conditions }[],
  parameters: Parameters,
): PriceProblem[] {
  const names = [...new Set(tiers.flatMap(({ when }) => Object.keys(when)))];
  const isKnown = (name: string) =>
    tiers.some(({ when }) => {
      const values = when[name];
      return values === undefined || isOpen(parameters[name]) || isOneOf(parameters[name], values);
    });
  return names
    .filter((name) => !isKnown(name))
    .map((path) => {
      const values = [...new Set(tiers.flatMap(({ when }) => when[path] ?? []))];
      const more = values.length > MAX_NAMED ? ' and others (GET /v1/prices)' : '';
      return {
        path,
        message: `No price is known for this value of "${path}". Known are ${values.slice(0, MAX_NAMED).join(', ')}${more}.`,
      };
    });
}

function isOpen(value: unknown): boolean {
  return value === undefined || value === 'auto';
}

function isOneOf(value: unknown, values: readonly (string | boolean | number)[]): boolean {
  return values.some((known) => known === value);
}

/** With a film or a sound in, the output may be as long as that, and what is stated may be added to it. */
function secondsOf(price: PriceOf<'per-second'>, parameters: Parameters, work: Work): number {
  const { secondsParameter, maxSeconds } = price;
  const stated = statedSeconds(price, parameters[secondsParameter]);
  const input = secondsIn(work);
  if (input + (stated ?? 0) > maxSeconds)
    throw new ColophonError(
      'price_unknown',
      `The output may last longer than ${maxSeconds} seconds, for which no price is known: ${input} seconds go in${stated === undefined ? '' : `, and "${secondsParameter}" may be added to them`}. Shorten what goes in${stated === undefined ? '' : `, or leave "${secondsParameter}" out`}.`,
    );
  const isAhead = work.inputs.some((one) => one.isAhead && plays(one));
  return stated === undefined || isAhead ? maxSeconds : Math.ceil(stated + input);
}

function plays({ media }: InputFacts): boolean {
  return media === 'video' || media === 'audio';
}

/** Films one after the other, and sounds; the two play at the same time. */
function secondsIn({ inputs }: Work): number {
  const sums = { video: 0, audio: 0 };
  for (const one of inputs) {
    const { media, seconds, isAhead } = one;
    if (media !== 'video' && media !== 'audio') continue;
    if (seconds === undefined && isAhead === undefined)
      throw new ColophonError(
        'price_unknown',
        `How long ${named(media)} that goes in lasts is not known, and the output may last as long. Send it in a format that says how long it plays, such as MP4 or WAV.`,
      );
    sums[media] += seconds ?? 0;
  }
  return Math.max(sums.video, sums.audio);
}

function statedSeconds(
  { secondsParameter, maxSeconds }: PriceOf<'per-second'>,
  given: unknown,
): number | undefined {
  if (isOpen(given)) return undefined;
  // Vendors take 8, "8" or "8s".
  const seconds = typeof given === 'string' ? Number(/^(\d{1,4}(?:\.\d{1,3})?)s?$/.exec(given)?.[1]) : given;
  if (typeof seconds !== 'number' || !Number.isFinite(seconds) || seconds <= 0 || seconds > maxSeconds) {
    throw new ColophonError(
      'invalid_request',
      `"${secondsParameter}" must be a length of at most ${maxSeconds} seconds.`,
    );
  }
  return seconds;
}

/** A token has at least one byte of UTF-8, so no text has more tokens than bytes. */
function bytesOfTextsIn(parameters: Parameters): number {
  return Object.values(parameters)
    .flatMap((value) => textsIn(value as RunValue | undefined))
    .reduce((sum, text) => sum + Buffer.byteLength(text, 'utf8'), 0);
}

function ceilDivide(dividend: bigint, divisor: bigint): bigint {
  return (dividend + divisor - 1n) / divisor;
}
