import { ColophonError } from '../../../shared/errors.js';
import { type Offering, type Offerings, SANDBOX_LISTING } from '../../domain/offering.js';
import { type Operation } from '../../domain/operation.js';
import { type GatewayCall, type GatewayVendor, PROVIDER_OF_VENDOR } from '../domain/gateway-call.js';

/** Stands for the sandbox under every root: something to try an SDK with that needs no waiver. Test keys only. */
export const SANDBOX_MODEL = 'sandbox-generator';
/** The same for SDKs that know models by owner and name only. */
const OWNED_SANDBOX_MODELS: readonly string[] = [
  `colophon/${SANDBOX_MODEL}`,
  `deployments/colophon/${SANDBOX_MODEL}`,
];

/** What a call with files may be, and one without: the first that a model is offered for. */
const WITH_FILES: readonly Operation[] = [
  'edit',
  'animate',
  'upscale',
  'cut-out',
  'generate-3d',
  'recolor',
  'generate-video',
  'speak',
  'compose-music',
];
const WITHOUT_FILES: readonly Operation[] = [
  'generate',
  'generate-video',
  'speak',
  'compose-music',
  'generate-3d',
];

/** Names that a vendor's SDK uses, and what they are here. What is not known is refused: a name is never guessed. */
export class GatewayModels {
  constructor(private readonly offerings: Offerings) {}

  /** @throws ColophonError `unknown_model`, with the names that are known */
  resolve({ vendor, model, operation }: Pick<GatewayCall, 'vendor' | 'model' | 'operation'>): Offering {
    const offering = this.named(vendor, model).find((candidate) => candidate.operation === operation);
    if (offering) return offering;
    throw this.unknown(vendor, `for "${operation}"`);
  }

  /**
   * What a call is that names a model and nothing else.
   * @throws ColophonError `unknown_model`
   */
  operationOf(vendor: GatewayVendor, model: string, hasFiles: boolean): Operation {
    const offered = this.named(vendor, model).map(({ operation }) => operation);
    const operation = (hasFiles ? WITH_FILES : WITHOUT_FILES).find((one) => offered.includes(one));
    if (operation !== undefined) return operation;
    if (offered.length === 0) throw this.unknown(vendor);
    throw this.unknown(vendor, hasFiles ? 'with files' : 'without files');
  }

  private named(vendor: GatewayVendor, model: string): Offering[] {
    const name = OWNED_SANDBOX_MODELS.includes(model) ? SANDBOX_MODEL : model;
    return this.offered(vendor).filter((candidate) => nameOf(candidate) === name);
  }

  private unknown(vendor: GatewayVendor, forWhat?: string): ColophonError {
    const asked = forWhat === undefined ? '' : ` ${forWhat}`;
    return new ColophonError(
      'unknown_model',
      `No model of this name can be used here${asked}. A model is known when the registry lists it and a provider offers it under this name.`,
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
