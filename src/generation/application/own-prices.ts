import { createHash } from 'node:crypto';
import { type AppendEntry } from '../../audit/application/append-entry.js';
import { type Tx } from '../../database/organization-tx.js';
import { actorOf } from '../../identity/application/actor.js';
import { type Principal } from '../../identity/domain/principal.js';
import { canonicalJson, type JsonValue } from '../../shared/canonical-json.js';
import { type Clock } from '../../shared/clock.js';
import { newId, publicId } from '../../shared/ids.js';
import { dayOf } from '../domain/calendar-days.js';
import { type Offering, type Offerings } from '../domain/offering.js';
import { type Price, priceSchema } from '../domain/price.js';
import { type ProviderName } from '../domain/provider.port.js';
import { recordedPriceProblem } from '../domain/recorded-price.js';
import { type StepRun } from '../domain/run.js';
import { type PriceBook, type PriceRowInForce } from '../registry/price-book.js';

/** Whose word a price is. `ceiling`: nobody knows it, and the operator says how much to reserve. */
export type PriceOrigin = 'organization' | 'operator' | 'product' | 'ceiling';

export interface PricedEndpoint {
  readonly provider: ProviderName;
  readonly endpoint: string;
  /** Listings that it runs here. */
  readonly listingIds: readonly string[];
  /** `undefined`: not known. Never 0. */
  readonly price: Price | undefined;
  readonly origin: PriceOrigin | undefined;
}

interface OwnPriceRow {
  readonly provider: ProviderName;
  readonly endpoint: string;
  readonly price: unknown;
  readonly valid_from: string;
}

/** Also those of days to come or gone. */
export interface RecordedPrice {
  readonly id: string;
  readonly provider: ProviderName;
  readonly endpoint: string;
  /** The first day on which it counts. */
  readonly validFrom: string;
  /** `undefined`: from that day on the organization has none of its own. */
  readonly price: Price | undefined;
  readonly recordedAt: Date;
  readonly state: 'to_come' | 'in_force' | 'past' | 'replaced';
}

/** What is done here costs nothing, whatever anybody writes into a price list. */
const FREE_PROVIDERS: readonly ProviderName[] = ['studio', 'sandbox'];

/**
 * What steps cost an organization: its own prices, else those of the operator's contract, else what was read of the
 * vendor. Own prices are never changed, only followed by newer ones, so the price of a step is found again later by the
 * moment of its reservation.
 */
export class OwnPrices {
  /** The book of one day: nearly always today's. */
  private kept: { readonly on: string; readonly rows: ReadonlyMap<string, PriceRowInForce> } | undefined;

  constructor(
    private readonly plainOfferings: Offerings,
    private readonly book: PriceBook,
    private readonly appendEntry: AppendEntry,
    private readonly clock: Clock,
    private readonly ceilingMicroUsd: number | undefined,
  ) {}

  /** What can be executed, at the prices of today. */
  async offerings(tx: Tx): Promise<Offerings> {
    const now = this.clock.now();
    const own = await this.own(tx, now);
    return this.plainOfferings.withPrices((offering) => this.priceOf(offering, own, dayOf(now)).price);
  }

  /** The price at which a step was reserved. */
  async ofStep(tx: Tx, step: StepRun): Promise<Price | undefined> {
    const [row] = await tx.query<{ created_at: Date }>(
      'SELECT created_at FROM step_run WHERE organization_id = $1 AND id = $2',
      [tx.organizationId, step.id],
    );
    const offering = this.plainOfferings.find(step);
    if (offering === undefined || row === undefined) return undefined;
    return this.priceOf(offering, await this.own(tx, row.created_at), dayOf(row.created_at)).price;
  }

  /** Every endpoint that can be run or that has a price. */
  async table(tx: Tx): Promise<PricedEndpoint[]> {
    const now = this.clock.now();
    const own = await this.own(tx, now);
    const found = new Map<string, PricedEndpoint>();
    for (const offering of this.plainOfferings.list()) {
      const key = keyOf(offering);
      const { provider, endpoint, listingId } = offering;
      const listingIds = [...new Set([...(found.get(key)?.listingIds ?? []), listingId])];
      found.set(key, { provider, endpoint, listingIds, ...this.priceOf(offering, own, dayOf(now)) });
    }
    for (const row of this.bookOn(dayOf(now)).values()) {
      const { provider, endpoint, price, origin } = row;
      if (!found.has(keyOf(row)))
        found.set(keyOf(row), { provider, endpoint, listingIds: [], price, origin });
    }
    for (const [key, price] of own) {
      const [provider = '', endpoint = ''] = key.split(' ');
      if (!found.has(key))
        found.set(key, {
          provider: provider as ProviderName,
          endpoint,
          listingIds: [],
          price,
          origin: 'organization',
        });
    }
    return [...found.values()].sort((one, other) => keyOf(one).localeCompare(keyOf(other)));
  }

  /**
   * The organization's own price of an endpoint from a day on, or that it has none any more.
   * @param price `undefined`: withdrawn
   */
  async record(
    tx: Tx,
    principal: Principal,
    row: { provider: ProviderName; endpoint: string; validFrom: string; price: Price | undefined },
  ): Promise<string> {
    const id = newId();
    const { provider, endpoint, validFrom, price } = row;
    const canonical = price === undefined ? undefined : canonicalJson(price as unknown as JsonValue);
    await tx.query(
      `INSERT INTO own_price (organization_id, id, provider, endpoint, price, valid_from, recorded_by, recorded_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
      [
        tx.organizationId,
        id,
        provider,
        endpoint,
        canonical?.toString('utf8') ?? null,
        validFrom,
        principal.principalId,
        this.clock.now(),
      ],
    );
    await this.appendEntry.append(tx, {
      type: 'price.recorded',
      actor: actorOf(principal),
      subject: { kind: 'price', id: publicId('ownPrice', id) },
      data: {
        provider,
        endpoint,
        validFrom,
        ...(canonical === undefined ? {} : { sha256: createHash('sha256').update(canonical).digest('hex') }),
      },
    });
    return id;
  }

  /** What is wrong with a price that is recorded now, or `undefined`. */
  problemOf(provider: ProviderName, price: Price): ReturnType<typeof recordedPriceProblem> {
    return recordedPriceProblem(provider, price, this.clock.now());
  }

  /**
   * What the organization recorded, newest day first: of one day the row counts that was recorded last.
   * @param afterId the last one of the page before
   */
  async recorded(tx: Tx, limit: number, afterId: string | undefined): Promise<RecordedPrice[]> {
    const rows = await tx.query<
      OwnPriceRow & { id: string; recorded_at: Date; state: RecordedPrice['state'] }
    >(
      `WITH ordered AS (
         SELECT id, provider, endpoint, price, valid_from, recorded_at,
                row_number() OVER (PARTITION BY provider, endpoint, valid_from ORDER BY recorded_at DESC, id DESC)
                  AS of_day,
                row_number() OVER (PARTITION BY provider, endpoint, valid_from > $2::date
                                   ORDER BY valid_from DESC, recorded_at DESC, id DESC) AS of_endpoint
           FROM own_price WHERE organization_id = $1)
       SELECT id, provider, endpoint, price, valid_from::text AS valid_from, recorded_at,
              CASE WHEN of_day > 1 THEN 'replaced' WHEN valid_from > $2::date THEN 'to_come'
                   WHEN of_endpoint = 1 THEN 'in_force' ELSE 'past' END AS state
         FROM ordered
        WHERE $3::uuid IS NULL
           OR (valid_from, recorded_at, id) < (SELECT valid_from, recorded_at, id FROM ordered WHERE id = $3)
        ORDER BY valid_from DESC, recorded_at DESC, id DESC LIMIT $4`,
      [tx.organizationId, dayOf(this.clock.now()), afterId ?? null, limit],
    );
    return rows.map((row) => ({
      id: row.id,
      provider: row.provider,
      endpoint: row.endpoint,
      validFrom: row.valid_from,
      price: row.price === null ? undefined : priceSchema.parse(row.price),
      recordedAt: row.recorded_at,
      state: row.state,
    }));
  }

  private priceOf(
    offering: Offering,
    own: ReadonlyMap<string, Price>,
    on: string,
  ): { price: Price | undefined; origin: PriceOrigin | undefined } {
    const { provider, endpoint } = offering;
    if (FREE_PROVIDERS.includes(provider)) return { price: offering.price, origin: 'product' };
    const ownPrice = own.get(keyOf(offering));
    if (ownPrice !== undefined) return { price: ownPrice, origin: 'organization' };
    const row = this.bookOn(on).get(keyOf({ provider, endpoint }));
    if (row !== undefined) return { price: row.price, origin: row.origin };
    // Own servers carry their price themselves. What a price book says of a later day does not count today.
    const ofServer = provider === 'openai-compatible' || provider === 'comfyui' ? offering.price : undefined;
    if (ofServer !== undefined) return { price: ofServer, origin: 'operator' };
    const ceiling = this.ceiling();
    return ceiling === undefined
      ? { price: undefined, origin: undefined }
      : { price: ceiling, origin: 'ceiling' };
  }

  private bookOn(on: string): ReadonlyMap<string, PriceRowInForce> {
    if (this.kept?.on !== on)
      this.kept = { on, rows: new Map(this.book.inForce(on).map((row) => [keyOf(row), row])) };
    return this.kept.rows;
  }

  private ceiling(): Price | undefined {
    if (this.ceilingMicroUsd === undefined) return undefined;
    return {
      family: 'ceiling',
      microUsd: this.ceilingMicroUsd,
      source: 'not known: the operator says how much to reserve',
      dateRead: dayOf(this.clock.now()),
      verified: false,
    };
  }

  /** By endpoint, as it was at a moment: of rows recorded until then, the one with the latest day that has begun. */
  private async own(tx: Tx, at: Date): Promise<ReadonlyMap<string, Price>> {
    const rows = await tx.query<OwnPriceRow>(
      `SELECT DISTINCT ON (provider, endpoint) provider, endpoint, price, valid_from::text AS valid_from
         FROM own_price
        WHERE organization_id = $1 AND recorded_at <= $2 AND valid_from <= $3
        ORDER BY provider, endpoint, valid_from DESC, recorded_at DESC, id DESC`,
      [tx.organizationId, at, dayOf(at)],
    );
    return new Map(
      rows.flatMap((row) =>
        row.price === null
          ? []
          : [[keyOf(row), { ...priceSchema.parse(row.price), validFrom: row.valid_from }] as const],
      ),
    );
  }
}

function keyOf({ provider, endpoint }: { readonly provider: string; readonly endpoint: string }): string {
  return `${provider} ${endpoint}`;
}
