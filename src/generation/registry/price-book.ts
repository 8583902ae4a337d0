import { z } from 'zod';
import { type Price, priceSchema } from '../domain/price.js';
import { PROVIDER_NAMES, type ProviderName } from '../domain/provider.port.js';
import { freeProblem } from '../domain/recorded-price.js';
import seed from './price-book.json' with { type: 'json' };

const rowSchema = z
  .strictObject({
    provider: z.enum(PROVIDER_NAMES),
    /** The provider's own name of the model. */
    endpoint: z.string().min(1).max(120),
    price: priceSchema,
    note: z.string().max(400).optional(),
  })
  .superRefine(({ provider, endpoint, price }, context) => {
    const problem = freeProblem(provider, price);
    if (problem !== undefined)
      context.addIssue({ code: 'custom', path: ['price', 'family'], message: `${endpoint}: ${problem}` });
  });
export const priceBookSchema = z.strictObject({ rows: z.array(rowSchema).max(2000) });
export type PriceRow = z.output<typeof rowSchema>;

/** A row that counts, and whose word it is: the product's, or the operator's from its contract. */
export interface PriceRowInForce extends PriceRow {
  readonly origin: 'product' | 'operator';
}

/**
 * Prices by provider and endpoint, each from a day on. A deployment's own rows, from its contract, stand before the
 * seed. What is in neither is not known, and cannot be run.
 */
export class PriceBook {
  private readonly rows: readonly PriceRowInForce[];

  constructor(own: readonly PriceRow[] = []) {
    const { rows } = priceBookSchema.parse(seed);
    this.rows = [
      ...own.map((row) => ({ ...row, origin: 'operator' as const })),
      ...rows.map((row) => ({ ...row, origin: 'product' as const })),
    ];
  }

  /** @param on `2026-11-22`: the day on which it is to be paid; rows of later days do not count yet */
  find(provider: ProviderName, endpoint: string, on: string = today()): Price | undefined {
    return this.row(provider, endpoint, on)?.price;
  }

  /** What counts on a day, one row for each endpoint. */
  inForce(on: string = today()): PriceRowInForce[] {
    const keys = new Map(this.rows.map((row) => [keyOf(row.provider, row.endpoint), row]));
    return [...keys.values()].flatMap(({ provider, endpoint }) => this.row(provider, endpoint, on) ?? []);
  }

  private row(provider: ProviderName, endpoint: string, on: string): PriceRowInForce | undefined {
    const key = keyOf(provider, endpoint);
    const begun = this.rows.filter(
      (row) => keyOf(row.provider, row.endpoint) === key && (row.price.validFrom ?? '') <= on,
    );
    const operators = begun.filter(({ origin }) => origin === 'operator');
    const [newest] = (operators.length > 0 ? operators : begun).sort((one, other) =>
      (other.price.validFrom ?? '').localeCompare(one.price.validFrom ?? ''),
    );
    return newest;
  }
}

function today(): string {
  return new Date().toISOString().slice(0, 10);
}

function keyOf(provider: ProviderName, endpoint: string): string {
  return `${provider} ${endpoint}`;
}
