import { randomBytes } from 'node:crypto';
import { type AppendEntry } from '../../audit/application/append-entry.js';
import { type EntryData } from '../../audit/core/entry-types.js';
import { type Tx } from '../../database/organization-tx.js';
import { actorOf } from '../../identity/application/actor.js';
import { type Principal } from '../../identity/domain/principal.js';
import { type Clock } from '../../shared/clock.js';
import { ColophonError } from '../../shared/errors.js';
import { newId, publicId } from '../../shared/ids.js';
import { type WebhookEndpointRepository } from '../adapters/webhook-endpoint.repository.js';
import { ROTATION_OVERLAP_MS, signingSecrets, type WebhookEndpoint } from '../domain/webhook-endpoint.js';
import { type WebhookAddress } from './webhook-address.js';

export interface EndpointChange {
  readonly address?: WebhookAddress | undefined;
  readonly events?: readonly string[] | undefined;
  readonly state?: 'active' | 'paused' | undefined;
}

/** An endpoint with its address, which admins see. */
export type OpenEndpoint = WebhookEndpoint & { readonly url: string };

/** Each of them gets every matching entry: a bound on what one entry can set going. */
const MAX_ENDPOINTS = 20;
const SECRET_BYTES = 32;

/** Where an organization is told of what happens. Each change is in the log, with the host and never the whole address. */
export class ManageEndpoints {
  constructor(
    private readonly endpoints: WebhookEndpointRepository,
    private readonly appendEntry: AppendEntry,
    private readonly clock: Clock,
  ) {}

  /**
   * @returns with the secret, which is shown this once
   * @throws ColophonError `conflict` when there are too many
   */
  async create(
    tx: Tx,
    principal: Principal,
    { url, host }: WebhookAddress,
    events: readonly string[],
  ): Promise<OpenEndpoint & { readonly secret: string }> {
    if ((await this.endpoints.list(tx)).length >= MAX_ENDPOINTS)
      throw new ColophonError('conflict', `An organization has at most ${MAX_ENDPOINTS} webhook endpoints.`);
    const secret = newSecret();
    const endpoint: WebhookEndpoint = {
      id: newId(),
      host,
      events,
      state: 'active',
      failingSince: undefined,
      createdAt: this.clock.now(),
    };
    await this.endpoints.insert(tx, endpoint, { url, secrets: [{ secret, validUntil: null }] });
    await this.record(tx, principal, 'webhook_endpoint.set', endpoint);
    return { ...endpoint, url, secret };
  }

  /** @throws ColophonError `not_found` */
  async change(tx: Tx, principal: Principal, id: string, change: EndpointChange): Promise<OpenEndpoint> {
    const before = await this.endpoints.get(tx, id);
    const opened = await this.endpoints.open(tx.organizationId, before);
    const { url, host } = change.address ?? { url: opened.url, host: before.host };
    const endpoint: WebhookEndpoint = {
      ...before,
      host,
      events: change.events ?? before.events,
      state: change.state ?? before.state,
      failingSince: change.state === 'active' ? undefined : before.failingSince,
    };
    await this.endpoints.update(tx, endpoint);
    if (url !== opened.url) await this.endpoints.setSecrets(tx, id, { ...opened, url });
    await this.record(tx, principal, 'webhook_endpoint.set', endpoint);
    return { ...endpoint, url };
  }

  /**
   * From now on messages carry two signatures, by the new secret and by the old one, for a day.
   * @returns the new secret, which is shown this once
   * @throws ColophonError `not_found`
   */
  async rotateSecret(tx: Tx, principal: Principal, id: string): Promise<string> {
    const endpoint = await this.endpoints.get(tx, id);
    const opened = await this.endpoints.open(tx.organizationId, endpoint);
    const now = this.clock.now();
    const secret = newSecret();
    const validUntil = new Date(now.getTime() + ROTATION_OVERLAP_MS).toISOString();
    // Of those that still sign only the newest: whoever rotates twice in a day wants to be rid of the first.
    const [old] = signingSecrets(opened, now);
    const secrets = [
      { secret, validUntil: null },
      ...(old === undefined ? [] : [{ secret: old, validUntil }]),
    ];
    await this.endpoints.setSecrets(tx, id, { ...opened, secrets });
    await this.record(tx, principal, 'webhook_endpoint.secret_rotated', endpoint);
    return secret;
  }

  /** @throws ColophonError `not_found` */
  async remove(tx: Tx, principal: Principal, id: string): Promise<void> {
    const endpoint = await this.endpoints.get(tx, id);
    await this.endpoints.remove(tx, id);
    await this.record(tx, principal, 'webhook_endpoint.removed', endpoint);
  }

  async list(tx: Tx): Promise<OpenEndpoint[]> {
    const endpoints = await this.endpoints.list(tx);
    return Promise.all(
      endpoints.map(async (endpoint) => ({
        ...endpoint,
        url: (await this.endpoints.open(tx.organizationId, endpoint)).url,
      })),
    );
  }

  private async record(
    tx: Tx,
    principal: Principal,
    type: 'webhook_endpoint.set' | 'webhook_endpoint.removed' | 'webhook_endpoint.secret_rotated',
    { id, host, events, state }: WebhookEndpoint,
  ): Promise<void> {
    const data: EntryData<'webhook_endpoint.set'> = { host, state, events: [...events] };
    const subject = { kind: 'webhook_endpoint', id: publicId('webhookEndpoint', id) } as const;
    const actor = actorOf(principal);
    if (type === 'webhook_endpoint.set') await this.appendEntry.append(tx, { type, actor, subject, data });
    else await this.appendEntry.append(tx, { type, actor, subject, data: { host } });
  }
}

function newSecret(): string {
  return `whsec_${randomBytes(SECRET_BYTES).toString('base64')}`;
}
