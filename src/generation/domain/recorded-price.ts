import { latestDay } from './calendar-days.js';
import { type Price } from './price.js';
import { KEYED_PROVIDERS, type ProviderName } from './provider.port.js';

/** Whoever calls them with a key is sent an invoice. */
const HOSTED: readonly ProviderName[] = KEYED_PROVIDERS;

/** Why a price of a hosted vendor's model cannot be `free`: it would reserve nothing, and every budget would hold it. */
export function freeProblem(provider: ProviderName, { family }: Pick<Price, 'family'>): string | undefined {
  if (family !== 'free' || !HOSTED.includes(provider)) return undefined;
  return `calls of ${provider} are paid: "free" stands for what runs on your own servers. State what a call costs, or withdraw the price (null) where it is not known`;
}

/** What is wrong with a price that somebody records at this moment, or `undefined`. */
export function recordedPriceProblem(
  provider: ProviderName,
  price: Price,
  now: Date,
): { readonly path: string; readonly message: string } | undefined {
  const free = freeProblem(provider, price);
  if (free !== undefined) return { path: 'price.family', message: free };
  return price.dateRead > latestDay(now)
    ? { path: 'price.dateRead', message: 'the day on which it was read cannot be yet to come' }
    : undefined;
}
