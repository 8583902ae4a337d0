import { ColophonError } from '../../shared/errors.js';
import { type Provider, type ProviderName } from '../domain/provider.port.js';

/** The configured providers by name. */
export class Providers {
  private readonly byName: ReadonlyMap<ProviderName, Provider>;

  constructor(providers: readonly Provider[]) {
    this.byName = new Map(providers.map((provider) => [provider.name, provider]));
  }

  /** @throws ColophonError `provider_not_configured` */
  get(name: ProviderName): Provider {
    const provider = this.byName.get(name);
    if (!provider)
      throw new ColophonError('provider_not_configured', `The provider "${name}" has no credentials here.`);
    return provider;
  }

  /**
   * Refuses what cannot work before anything is reserved.
   * @throws ColophonError `provider_not_configured`, `invalid_request`
   */
  check(step: {
    readonly key: string;
    readonly provider: ProviderName;
    readonly endpoint: string;
    readonly parameters: Readonly<Record<string, unknown>>;
    readonly images: Readonly<Record<string, unknown>>;
  }): void {
    const problem = this.get(step.provider).problemWith(step);
    if (problem !== undefined) throw new ColophonError('invalid_request', `Step "${step.key}": ${problem}`);
  }
}
