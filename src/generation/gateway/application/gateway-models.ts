import { ColophonError } from '../../../shared/errors.js';
import { type Offering, type Offerings, SANDBOX_LISTING } from '../../domain/offering.js';
import { type GatewayCall, type GatewayVendor, PROVIDER_OF_VENDOR } from '../domain/gateway-call.js';

/** Stands for the sandbox under every root: something to try an SDK with that needs no waiver. Test keys only. */
export const SANDBOX_MODEL = 'sandbox-generator';

/** Names that a vendor's SDK uses, and what they are here. What is not known is refused: a name is never guessed. */
export class GatewayModels {
  constructor(private readonly offerings: Offerings) {}

  /** @throws ColophonError `unknown_model`, with the names that are known */
  resolve({ vendor, model, operation }: Pick<GatewayCall, 'vendor' | 'model' | 'operation'>): Offering {
    const offering = this.offered(vendor).find(
      (candidate) => nameOf(candidate) === model && candidate.operation === operation,
    );
    if (offering) return offering;
    throw new ColophonError(
      'unknown_model',
      `No model of this name can be used here for "${operation}". A model is known when the registry lists it and a provider offers it under this name.`,
      { extensions: { knownModels: this.names(vendor) } },
    );
  }

  /** Every name that a vendor's SDK can use here, with what it can be asked for, sorted. */
  known(vendor: GatewayVendor): ReadonlyMap<string, readonly Offering[]> {
    const byName = new Map<string, Offering[]>();
    for (const offering of this.offered(vendor)) {
      const name = nameOf(offering);
      byName.set(name, [...(byName.get(name) ?? []), offering]);
    }
    return new Map([...byName].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  private names(vendor: GatewayVendor): string[] {
    return [...this.known(vendor).keys()];
  }

  private offered(vendor: GatewayVendor): readonly Offering[] {
    return [...this.offerings.of(PROVIDER_OF_VENDOR[vendor]), ...this.offerings.of('sandbox')];
  }
}

function nameOf({ listingId, endpoint }: Offering): string {
  return listingId === SANDBOX_LISTING ? SANDBOX_MODEL : endpoint;
}
