import { type Tx } from '../../database/organization-tx.js';
import { ColophonError } from '../../shared/errors.js';
import { type ResolvedStep } from '../domain/resolve-run.js';
import {
  type KeyedProviderName,
  KEYED_PROVIDERS,
  type PlannedRequest,
  type Provider,
  type ProviderName,
  type StepExecutor,
} from '../domain/provider.port.js';

/** Keys that organizations brought. */
export interface CredentialStore {
  /** `undefined` when the organization has none. `versionId` changes with every change of the key. */
  find(tx: Tx, provider: KeyedProviderName): Promise<StoredCredential | undefined>;
}

export interface StoredCredential {
  readonly versionId: string;
  open(): Promise<string>;
}

export interface ProvidersOptions {
  /** Need no key: this machine, the sandbox, the operator's own servers. */
  readonly fixed: readonly Provider[];
  readonly keyed: Readonly<Record<KeyedProviderName, (key: string) => Promise<Provider>>>;
  /** The operator's keys, for organizations without one of their own; empty where the operator shares none. */
  readonly sharedKeys: Readonly<Partial<Record<KeyedProviderName, string>>>;
  readonly credentials: CredentialStore;
}

/**
 * Who executes steps, for one organization. The version of its key is read from the database each time, so a changed or
 * removed key takes effect with the next request, in every process; only what was made from that version is kept.
 */
export class Providers {
  private readonly fixed: ReadonlyMap<ProviderName, Provider>;
  private readonly shared = new Map<KeyedProviderName, Promise<Provider>>();
  private readonly own = new Map<string, { readonly versionId: string; readonly provider: Provider }>();

  constructor(private readonly options: ProvidersOptions) {
    this.fixed = new Map(options.fixed.map((provider) => [provider.name, provider]));
  }

  /** @throws ColophonError `provider_not_configured` */
  async get(tx: Tx, name: StepExecutor): Promise<Provider> {
    if (name === 'people') throw new Error('a step that people do has no provider');
    const provider = isKeyed(name)
      ? ((await this.ownOf(tx, name)) ?? (await this.sharedOf(name)))
      : this.fixed.get(name);
    if (!provider)
      throw new ColophonError('provider_not_configured', `The provider "${name}" has no credentials here.`);
    return provider;
  }

  /** The key in force, for what is done in its name beside running steps. `undefined` where there is none. */
  async keyOf(tx: Tx, name: KeyedProviderName): Promise<string | undefined> {
    const stored = await this.options.credentials.find(tx, name);
    return stored === undefined ? this.options.sharedKeys[name] : stored.open();
  }

  /**
   * Refuses what cannot work before anything is reserved.
   * @throws ColophonError `provider_not_configured`, `invalid_request`
   */
  async check(
    tx: Tx,
    step: Pick<ResolvedStep, 'key' | 'images'> &
      Pick<PlannedRequest, 'operation' | 'endpoint' | 'parameters'> & {
        readonly provider: ProviderName;
      },
  ): Promise<void> {
    const provider = await this.get(tx, step.provider);
    const inputs = Object.fromEntries(
      Object.entries(step.images).map(([name, { media }]) => [name, { kind: media ?? ('image' as const) }]),
    );
    const problem = provider.problemWith({ ...step, inputs });
    if (problem !== undefined) throw new ColophonError('invalid_request', `Step "${step.key}": ${problem}`);
  }

  private sharedOf(name: KeyedProviderName): Promise<Provider> | undefined {
    const key = this.options.sharedKeys[name];
    if (key === undefined) return undefined;
    const made = this.shared.get(name) ?? this.options.keyed[name](key);
    this.shared.set(name, made);
    return made;
  }

  private async ownOf(tx: Tx, name: KeyedProviderName): Promise<Provider | undefined> {
    const slot = `${tx.organizationId} ${name}`;
    const stored = await this.options.credentials.find(tx, name);
    if (stored === undefined) {
      this.own.delete(slot);
      return undefined;
    }
    const kept = this.own.get(slot);
    if (kept?.versionId === stored.versionId) return kept.provider;
    const provider = await this.options.keyed[name](await stored.open());
    this.own.set(slot, { versionId: stored.versionId, provider });
    return provider;
  }
}

function isKeyed(name: ProviderName): name is KeyedProviderName {
  return KEYED_PROVIDERS.some((keyed) => keyed === name);
}
