/**
 * What a provider says it used, by meter. `unit` is the provider's own billable unit, whatever that is for the model;
 * the others mean what they say. Which of them is billed, the price of the offering knows. Tokens that a model thought with
 * are among its `output-text-token`, as they are on the bill; `output-thinking-token` says how many of them they were.
 */
export const METERS = [
  'unit',
  'image',
  'output-second',
  'compute-second',
  'input-text-token',
  'input-image-token',
  'output-text-token',
  'output-image-token',
  'output-thinking-token',
] as const;
export type Meter = (typeof METERS)[number];
export type Usage = Readonly<Partial<Record<Meter, number>>>;

/** Beyond this no vendor bills one step; such a number is nonsense, and nonsense is silence. */
const MAX_READING = 1e9;

/** Keeps what can be a reading: finite, positive, below a billion. `undefined` when nothing is left. */
export function readUsage(readings: Readonly<Partial<Record<Meter, unknown>>>): Usage | undefined {
  const usage: Partial<Record<Meter, number>> = {};
  for (const meter of METERS) {
    const value = readings[meter];
    if (typeof value === 'number' && Number.isFinite(value) && value > 0 && value <= MAX_READING)
      usage[meter] = value;
  }
  return Object.keys(usage).length === 0 ? undefined : usage;
}

/**
 * Whether the parts into which a vendor divides its tokens may be all of them. Parts below the total leave something out,
 * which may be the picture and the dearest of all: such a reading tells no price.
 */
export function areAllTokens(total: number | undefined, parts: readonly (number | undefined)[]): boolean {
  return total === undefined || parts.reduce<number>((sum, part = 0) => sum + part, 0) >= total;
}
