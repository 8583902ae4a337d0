import { z } from 'zod';
import { ColophonError } from '../../shared/errors.js';
import { type MicroUsd } from '../../shared/money.js';
import { refuseOtherLengths } from './output-length.js';
import { megapixelsOf } from './picture-size.js';
import { METERS, type Usage } from './usage.js';

/**
 * What a way of running a model costs: four unit families, and `free` for what runs here without being metered.
 *
 * - `per-image`: by tier, e.g. of quality and size
 * - `per-megapixel`: width x height, rounded up to whole megapixels; the first may cost more than each further one
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
  z.strictObject({ family: z.literal('per-image'), tiers: tier({ microUsd }), ...common }),
  z.strictObject({
    family: z.literal('per-megapixel'),
    firstMicroUsd: microUsd,
    furtherMicroUsd: microUsd,
    ...common,
  }),
  z.strictObject({
    family: z.literal('per-second'),
    tiers: tier({ microUsdPerSecond: microUsd }),
    /** The parameter that says how long the output is to be. */
    secondsParameter: z.string().max(40),
    /** Reserved when it is not given; more than this is refused. */
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

type Conditions = z.output<typeof conditionsSchema>;
type Parameters = Readonly<Record<string, unknown>>;

const TOKENS_PER_RATE = 1_000_000n;

/**
 * Upper bound of the cost of one step, reserved before it is submitted. Where a parameter leaves it open which tier
 * will be billed (`auto`, or not given), the dearest one counts; what may make the output larger or longer and is not
 * understood has no price.
 * @param inputPictures how many pictures go in
 * @throws ColophonError `price_unknown` for a value that no tier stands for; `invalid_request` beyond the limits
 */
export function estimateMicroUsd(price: Price, parameters: Parameters, inputPictures = 0): MicroUsd {
  for (const name of price.mustGive ?? []) {
    if (isOpen(parameters[name]))
      throw new ColophonError(
        'price_unknown',
        `The price is known only where "${name}" is given, and not as "auto".`,
      );
  }
  switch (price.family) {
    case 'free':
      return 0n;
    case 'ceiling':
      return BigInt(price.microUsd);
    case 'per-image':
      return dearest(price.tiers, parameters, (tier) => BigInt(tier.microUsd));
    case 'per-megapixel':
      return (
        BigInt(price.firstMicroUsd) + BigInt(price.furtherMicroUsd) * BigInt(megapixelsOf(parameters) - 1)
      );
    case 'per-second': {
      refuseOtherLengths(parameters, price.secondsParameter);
      const seconds = BigInt(secondsOf(price, parameters));
      return dearest(price.tiers, parameters, (tier) => BigInt(tier.microUsdPerSecond) * seconds);
    }
    case 'per-token': {
      const rates = price.microUsdPerMillion;
      const output = dearest(price.outputTokens, parameters, (tier) => BigInt(tier.atMost));
      const outputRate = BigInt(Math.max(rates.outputImage, rates.outputText));
      const pictures = BigInt(inputPictures) * BigInt(price.inputTokensPerImage);
      const text = BigInt(charactersIn(parameters));
      const total =
        output * outputRate + pictures * BigInt(rates.inputImage) + text * BigInt(rates.inputText);
      return ceilDivide(total, TOKENS_PER_RATE);
    }
  }
}

/** What the vendor's own reading comes to, rounded up to whole micro-USD; `undefined` when it does not tell the price. */
export function billedMicroUsd(price: Price, usage: Usage): MicroUsd | undefined {
  if (price.settledBy !== undefined) {
    const reading = usage[price.settledBy.meter];
    return reading === undefined ? undefined : BigInt(Math.ceil(price.settledBy.microUsd * reading));
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

function dearest<Tier extends { readonly when: Conditions }>(
  tiers: readonly Tier[],
  parameters: Parameters,
  costOf: (tier: Tier) => bigint,
): bigint {
  requireKnownValues(tiers, parameters);
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

/** A value that no tier names may cost anything. */
function requireKnownValues(tiers: readonly { readonly when: Conditions }[], parameters: Parameters): void {
  for (const name of new Set(tiers.flatMap(({ when }) => Object.keys(when)))) {
    const known = tiers.some(({ when }) => {
      const values = when[name];
      return values === undefined || isOpen(parameters[name]) || isOneOf(parameters[name], values);
    });
    if (!known) throw new ColophonError('price_unknown', `No price is known for this value of "${name}".`);
  }
}

function isOpen(value: unknown): boolean {
  return value === undefined || value === 'auto';
}

function isOneOf(value: unknown, values: readonly (string | boolean | number)[]): boolean {
  return values.some((known) => known === value);
}

function secondsOf(price: { secondsParameter: string; maxSeconds: number }, parameters: Parameters): number {
  const given = parameters[price.secondsParameter];
  if (isOpen(given)) return price.maxSeconds;
  // Vendors take 8, "8" or "8s".
  const seconds = typeof given === 'string' ? Number(/^(\d{1,4}(?:\.\d{1,3})?)s?$/.exec(given)?.[1]) : given;
  if (
    typeof seconds !== 'number' ||
    !Number.isFinite(seconds) ||
    seconds <= 0 ||
    seconds > price.maxSeconds
  ) {
    throw new ColophonError(
      'invalid_request',
      `"${price.secondsParameter}" must be a length of at most ${price.maxSeconds} seconds.`,
    );
  }
  return Math.ceil(seconds);
}

/** A token has at least one byte of UTF-8, so no text has more tokens than bytes. */
function charactersIn(parameters: Parameters): number {
  return Object.values(parameters)
    .flat()
    .reduce<number>(
      (sum, value) => sum + (typeof value === 'string' ? Buffer.byteLength(value, 'utf8') : 0),
      0,
    );
}

function ceilDivide(dividend: bigint, divisor: bigint): bigint {
  return (dividend + divisor - 1n) / divisor;
}
