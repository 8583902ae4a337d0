/** Money is an integer number of micro-USD (1 USD = 1,000,000). Never a floating point number. */
export type MicroUsd = bigint;

const MICRO_USD_PER_USD = 1_000_000n;

/** `25000n` -> `"0.025000"`. For people; arithmetic stays in micro-USD. */
export function formatUsd(amount: MicroUsd): string {
  const sign = amount < 0n ? '-' : '';
  const absolute = amount < 0n ? -amount : amount;
  const fraction = (absolute % MICRO_USD_PER_USD).toString().padStart(6, '0');
  return `${sign}${absolute / MICRO_USD_PER_USD}.${fraction}`;
}
