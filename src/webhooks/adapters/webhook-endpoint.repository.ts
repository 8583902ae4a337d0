import { compactDecrypt, CompactEncrypt } from 'jose';
import { type Tx } from '../../database/organization-tx.js';
import { ColophonError } from '../../shared/errors.js';
import {
  type EndpointSecrets,
  type EndpointState,
  type WebhookEndpoint,
} from '../domain/webhook-endpoint.js';

interface EndpointRow {
  id: string;
  host: string;
  events: string[];
  state: EndpointState;
  failing_since: Date | null;
  created_at: Date;
  sealed: string;
}

const COLUMNS = 'id, host, events, state, failing_since, created_at, sealed';

/**
 * Endpoints of an organization. Address and secrets are a JWE (A256KW + A256GCM) under a key that is not in the
 * database; the organization and the endpoint stand in its protected header, so a copied row stays shut.
 */
export class WebhookEndpointRepository {
  constructor(private readonly keyEncryptionKey: Uint8Array) {}

  /** @throws ColophonError `not_found` */
  async get(tx: Tx, id: string): Promise<WebhookEndpoint & { readonly sealed: string }> {
    const [row] = await tx.query<EndpointRow>(
      `SELECT ${COLUMNS} FROM webhook_endpoint WHERE organization_id = $1 AND id = $2 AND state <> 'removed' FOR UPDATE`,
      [tx.organizationId, id],
    );
    if (!row) throw new ColophonError('not_found', 'There is no webhook endpoint with this id.');
    return { ...endpointOf(row), sealed: row.sealed };
  }

  /** Oldest first. */
  async list(tx: Tx): Promise<(WebhookEndpoint & { readonly sealed: string })[]> {
    const rows = await tx.query<EndpointRow>(
      `SELECT ${COLUMNS} FROM webhook_endpoint WHERE organization_id = $1 AND state <> 'removed' ORDER BY id`,
      [tx.organizationId],
    );
    return rows.map((row) => ({ ...endpointOf(row), sealed: row.sealed }));
  }

  /** It is told of entries from the next one on. */
  async insert(tx: Tx, endpoint: WebhookEndpoint, secrets: EndpointSecrets): Promise<void> {
    await tx.query(
      `INSERT INTO webhook_endpoint (organization_id, id, host, sealed, events, state, next_index, created_at)
       SELECT $1, $2, $3, $4, $5, $6, l.size + (SELECT count(*) FROM audit_pending p WHERE p.organization_id = $1), $7
         FROM audit_log l WHERE l.organization_id = $1`,
      [
        tx.organizationId,
        endpoint.id,
        endpoint.host,
        await this.seal(tx.organizationId, endpoint.id, secrets),
        endpoint.events,
        endpoint.state,
        endpoint.createdAt,
      ],
    );
  }

  async update(tx: Tx, { id, host, events, state }: WebhookEndpoint): Promise<void> {
    await tx.query(
      `UPDATE webhook_endpoint SET host = $3, events = $4, state = $5,
              failing_since = CASE WHEN $5 = 'active' THEN NULL ELSE failing_since END
        WHERE organization_id = $1 AND id = $2 RETURNING id`,
      [tx.organizationId, id, host, events, state],
    );
  }

  async setSecrets(tx: Tx, id: string, secrets: EndpointSecrets): Promise<void> {
    await tx.query(
      'UPDATE webhook_endpoint SET sealed = $3 WHERE organization_id = $1 AND id = $2 RETURNING id',
      [tx.organizationId, id, await this.seal(tx.organizationId, id, secrets)],
    );
  }

  /** The row stays, for its deliveries; its address and secrets do not. What was due is not sent. */
  async remove(tx: Tx, id: string): Promise<void> {
    await tx.query(
      `UPDATE webhook_endpoint SET state = 'removed', sealed = '' WHERE organization_id = $1 AND id = $2 RETURNING id`,
      [tx.organizationId, id],
    );
    await tx.query(
      `UPDATE webhook_delivery SET state = 'given_up', last_error = 'endpoint_removed'
        WHERE organization_id = $1 AND endpoint_id = $2 AND state = 'due' RETURNING id`,
      [tx.organizationId, id],
    );
  }

  async open(
    organizationId: string,
    { id, sealed }: { id: string; sealed: string },
  ): Promise<EndpointSecrets> {
    const { plaintext, protectedHeader } = await compactDecrypt(sealed, this.keyEncryptionKey, {
      keyManagementAlgorithms: ['A256KW'],
      contentEncryptionAlgorithms: ['A256GCM'],
    });
    if (protectedHeader.kid !== bindingOf(organizationId, id))
      throw new Error('the sealed address of a webhook lies in the wrong place');
    return JSON.parse(Buffer.from(plaintext).toString('utf8')) as EndpointSecrets;
  }

  private async seal(organizationId: string, id: string, secrets: EndpointSecrets): Promise<string> {
    return new CompactEncrypt(Buffer.from(JSON.stringify(secrets), 'utf8'))
      .setProtectedHeader({ alg: 'A256KW', enc: 'A256GCM', kid: bindingOf(organizationId, id) })
      .encrypt(this.keyEncryptionKey);
  }
}

function endpointOf(row: EndpointRow): WebhookEndpoint {
  return {
    id: row.id,
    host: row.host,
    events: row.events,
    state: row.state,
    failingSince: row.failing_since ?? undefined,
    createdAt: row.created_at,
  };
}

function bindingOf(organizationId: string, endpointId: string): string {
  return `${organizationId} ${endpointId}`;
}
