import { z } from 'zod';
import { type Price, priceSchema } from '../domain/price.js';
import { PROVIDER_NAMES, type ProviderName } from '../domain/provider.port.js';
import seed from './price-book.json' with { type: 'json' };

const rowSchema = z.strictObject({
  provider: z.enum(PROVIDER_NAMES),
  /** The provider's own name of the model. */
  endpoint: z.string().min(1).max(120),
  price: priceSchema,
  note: z.string().max(400).optional(),
});
export const priceBookSchema = z.strictObject({ rows: z.array(rowSchema).max(2000) });
export type PriceRow = z.output<typeof rowSchema>;

/**
 * Prices by provider and endpoint. A deployment's own rows, from its contract, stand before the seed. What is in
 * neither is not known, and cannot be run.
 */
export class PriceBook {
  private readonly prices: ReadonlyMap<string, Price>;

  constructor(own: readonly PriceRow[] = []) {
    const { rows } = priceBookSchema.parse(seed);
    this.prices = new Map([...rows, ...own].map((row) => [keyOf(row.provider, row.endpoint), row.price]));
  }

  find(provider: ProviderName, endpoint: string): Price | undefined {
    return this.prices.get(keyOf(provider, endpoint));
  }
}

function keyOf(provider: ProviderName, endpoint: string): string {
  return `${provider} ${endpoint}`;
}
