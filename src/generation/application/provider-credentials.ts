import { type AppendEntry } from '../../audit/application/append-entry.js';
import { type Tx } from '../../database/organization-tx.js';
import { actorOf } from '../../identity/application/actor.js';
import { type Principal } from '../../identity/domain/principal.js';
import { ColophonError } from '../../shared/errors.js';
import { publicId } from '../../shared/ids.js';
import {
  type CredentialView,
  type ProviderCredentialRepository,
} from '../adapters/provider-credential.repository.js';
import { keyProblem } from '../domain/provider-key.js';
import { type KeyedProviderName } from '../domain/provider.port.js';

/** An organization's own keys for providers. What is recorded says whose and when, and nothing of the key. */
export class ProviderCredentials {
  constructor(
    private readonly credentials: ProviderCredentialRepository,
    private readonly appendEntry: AppendEntry,
  ) {}

  /** @throws ColophonError `invalid_request`, which repeats nothing of the key */
  async set(tx: Tx, principal: Principal, provider: KeyedProviderName, key: string): Promise<void> {
    const problem = keyProblem(provider, key);
    if (problem !== undefined) throw new ColophonError('invalid_request', `key: ${problem}`);
    await this.credentials.set(tx, provider, key, principal.principalId);
    await this.record(tx, principal, 'provider_credential.set', provider);
  }

  /** Removed again, nothing changes, and there is no second entry. */
  async remove(tx: Tx, principal: Principal, provider: KeyedProviderName): Promise<void> {
    if (!(await this.credentials.remove(tx, provider))) return;
    await this.record(tx, principal, 'provider_credential.removed', provider);
  }

  /** @throws ColophonError `not_found` */
  async view(tx: Tx, provider: KeyedProviderName): Promise<CredentialView> {
    const view = await this.credentials.view(tx, provider);
    if (view === undefined)
      throw new ColophonError('not_found', 'The organization has no key for this provider.');
    return view;
  }

  private record(
    tx: Tx,
    principal: Principal,
    type: 'provider_credential.set' | 'provider_credential.removed',
    provider: KeyedProviderName,
  ): Promise<unknown> {
    return this.appendEntry.append(tx, {
      type,
      actor: actorOf(principal),
      subject: { kind: 'organization', id: publicId('organization', tx.organizationId) },
      data: { provider },
    });
  }
}
