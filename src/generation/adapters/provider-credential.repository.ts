import { randomUUID } from 'node:crypto';
import { CompactEncrypt, compactDecrypt } from 'jose';
import { type Tx } from '../../database/organization-tx.js';
import { type Clock } from '../../shared/clock.js';
import { type CredentialStore, type StoredCredential } from '../application/providers.js';
import { lastFourOf } from '../domain/provider-key.js';
import { type KeyedProviderName } from '../domain/provider.port.js';

const KEY_BYTES = 32;

/** What may be shown of a stored key. */
export interface CredentialView {
  readonly provider: KeyedProviderName;
  readonly lastFour: string;
  readonly setAt: Date;
}

/**
 * Keys of organizations for providers. JWE compact, A256KW + A256GCM under the key-encryption key of the instance
 * (`keys/provider-credentials.key`, never in the database). The organization, the provider and the version stand in the
 * protected header, and are compared when a key is opened: a row that was copied to another organization stays shut.
 */
export class ProviderCredentialRepository implements CredentialStore {
  constructor(
    private readonly keyEncryptionKey: Uint8Array,
    private readonly clock: Clock,
  ) {
    if (keyEncryptionKey.length !== KEY_BYTES) throw new Error('the key-encryption key must have 32 bytes');
  }

  async find(tx: Tx, provider: KeyedProviderName): Promise<StoredCredential | undefined> {
    const [row] = await tx.query<{ version_id: string; sealed_key: string }>(
      'SELECT version_id, sealed_key FROM provider_credential WHERE organization_id = $1 AND provider = $2',
      [tx.organizationId, provider],
    );
    if (row === undefined) return undefined;
    const bound = bindingOf(tx.organizationId, provider, row.version_id);
    return { versionId: row.version_id, open: () => this.open(row.sealed_key, bound) };
  }

  async view(tx: Tx, provider: KeyedProviderName): Promise<CredentialView | undefined> {
    const [row] = await tx.query<{ last_four: string; set_at: Date }>(
      'SELECT last_four, set_at FROM provider_credential WHERE organization_id = $1 AND provider = $2',
      [tx.organizationId, provider],
    );
    return row && { provider, lastFour: row.last_four, setAt: row.set_at };
  }

  async set(tx: Tx, provider: KeyedProviderName, key: string, principalId: string): Promise<void> {
    const versionId = randomUUID();
    const sealed = await new CompactEncrypt(Buffer.from(key, 'utf8'))
      .setProtectedHeader({
        alg: 'A256KW',
        enc: 'A256GCM',
        kid: bindingOf(tx.organizationId, provider, versionId),
      })
      .encrypt(this.keyEncryptionKey);
    await tx.query(
      `INSERT INTO provider_credential (organization_id, provider, version_id, sealed_key, last_four, set_by, set_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7)
       ON CONFLICT (organization_id, provider) DO UPDATE SET version_id = EXCLUDED.version_id,
         sealed_key = EXCLUDED.sealed_key, last_four = EXCLUDED.last_four, set_by = EXCLUDED.set_by,
         set_at = EXCLUDED.set_at`,
      [tx.organizationId, provider, versionId, sealed, lastFourOf(key), principalId, this.clock.now()],
    );
  }

  /** @returns whether there was one */
  async remove(tx: Tx, provider: KeyedProviderName): Promise<boolean> {
    const removed = await tx.query(
      'DELETE FROM provider_credential WHERE organization_id = $1 AND provider = $2 RETURNING provider',
      [tx.organizationId, provider],
    );
    return removed.length > 0;
  }

  private async open(sealed: string, bound: string): Promise<string> {
    const { plaintext, protectedHeader } = await compactDecrypt(sealed, this.keyEncryptionKey, {
      keyManagementAlgorithms: ['A256KW'],
      contentEncryptionAlgorithms: ['A256GCM'],
    });
    if (protectedHeader.kid !== bound) throw new Error('a sealed provider key lies in the wrong place');
    return Buffer.from(plaintext).toString('utf8');
  }
}

function bindingOf(organizationId: string, provider: string, versionId: string): string {
  return `${organizationId} ${provider} ${versionId}`;
}
