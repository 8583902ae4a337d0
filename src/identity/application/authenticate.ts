import { type DataSource } from 'typeorm';
import { isDatabaseUnreachable } from '../../database/organization-tx.js';
import { type Clock } from '../../shared/clock.js';
import { ColophonError } from '../../shared/errors.js';
import { type KeyMode, parseApiKey, secretMatches } from '../domain/api-key.js';
import { type Principal, type Role } from '../domain/principal.js';

interface KeyRow {
  organization_id: string;
  principal_id: string;
  mode: KeyMode;
  secret_sha256: Buffer;
  expires_at: Date | null;
  revoked_at: Date | null;
  roles: Role[];
  disabled_at: Date | null;
}

/** Turns a presented key into a principal. Reads the database each time, so a revocation takes effect at once. */
export class Authenticate {
  constructor(
    private readonly dataSource: DataSource,
    private readonly clock: Clock,
  ) {}

  /** @throws ColophonError `invalid_api_key`, the same for every reason, so that nothing can be learnt by trying. */
  async withApiKey(text: string): Promise<Principal> {
    const key = parseApiKey(text);
    if (!key) throw invalidKey();
    const row = await this.find(key.id);
    if (
      !row ||
      !secretMatches(key.secret, row.secret_sha256) ||
      row.mode !== key.mode ||
      !this.isUsable(row)
    ) {
      throw invalidKey();
    }
    return principalOf(key.id, row);
  }

  /** Whose key this is, for what was once given to it; `undefined` when it may not be used any more. */
  async principalOfKey(keyId: string): Promise<Principal | undefined> {
    const row = await this.find(keyId);
    return row && this.isUsable(row) ? principalOf(keyId, row) : undefined;
  }

  /** The same for a raw Authorization header. @throws ColophonError `unauthenticated`, `invalid_api_key` */
  async withAuthorization(authorization: string | undefined): Promise<Principal> {
    const key = keyInAuthorization(authorization);
    if (key === undefined) throw new ColophonError('unauthenticated', 'No API key was sent.');
    return this.withApiKey(key);
  }

  /** One statement, which is a transaction of its own: the organization that it enters is left with it. */
  private async find(keyId: string): Promise<KeyRow | undefined> {
    try {
      const [row] = await this.dataSource.query<KeyRow[]>('SELECT * FROM api_key_for_authentication($1)', [
        keyId,
      ]);
      return row;
    } catch (cause) {
      if (!isDatabaseUnreachable(cause)) throw cause;
      throw new ColophonError('audit_unavailable', 'The database cannot be reached.', { cause });
    }
  }

  private isUsable(row: KeyRow): boolean {
    if (row.revoked_at !== null || row.disabled_at !== null) return false;
    return row.expires_at === null || row.expires_at > this.clock.now();
  }
}

function principalOf(keyId: string, row: KeyRow): Principal {
  const { organization_id: organizationId, principal_id: principalId, mode, roles } = row;
  return { organizationId, principalId, keyId, mode, roles };
}

function invalidKey(): ColophonError {
  return new ColophonError('invalid_api_key', 'The API key is malformed, unknown, expired or revoked.');
}

/** `Bearer` is ours, `Key` is what fal's SDK sends. */
export function keyInAuthorization(authorization: string | undefined): string | undefined {
  return authorization === undefined ? undefined : /^(?:Bearer|Key) (\S+)$/i.exec(authorization)?.[1];
}
