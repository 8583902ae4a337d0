import { type DataSource } from 'typeorm';
import { type OrganizationTx } from '../../database/organization-tx.js';
import { type Clock } from '../../shared/clock.js';
import { ColophonError } from '../../shared/errors.js';
import { type KeyMode, parseApiKey, secretMatches } from '../domain/api-key.js';
import { type Principal, type Role } from '../domain/principal.js';

interface KeyRow {
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
    private readonly organizationTx: OrganizationTx,
    private readonly clock: Clock,
  ) {}

  /** @throws ColophonError `invalid_api_key`, the same for every reason, so that nothing can be learnt by trying. */
  async withApiKey(text: string): Promise<Principal> {
    const key = parseApiKey(text);
    if (!key) throw invalidKey();
    const routes: { organization_id: string }[] = await this.dataSource.query(
      'SELECT organization_id FROM api_key_route WHERE key_id = $1',
      [key.id],
    );
    const organizationId = routes[0]?.organization_id;
    if (organizationId === undefined) throw invalidKey();
    const [row] = await this.organizationTx.run(organizationId, (tx) =>
      tx.query<KeyRow>(
        `SELECT k.principal_id, k.mode, k.secret_sha256, k.expires_at, k.revoked_at, p.roles, p.disabled_at
           FROM api_key k JOIN principal p ON p.organization_id = k.organization_id AND p.id = k.principal_id
          WHERE k.organization_id = $1 AND k.id = $2`,
        [organizationId, key.id],
      ),
    );
    if (
      !row ||
      !secretMatches(key.secret, row.secret_sha256) ||
      row.mode !== key.mode ||
      !this.isUsable(row)
    ) {
      throw invalidKey();
    }
    return { organizationId, principalId: row.principal_id, keyId: key.id, mode: row.mode, roles: row.roles };
  }

  /** The same for a raw Authorization header. @throws ColophonError `unauthenticated`, `invalid_api_key` */
  async withAuthorization(authorization: string | undefined): Promise<Principal> {
    const key = keyInAuthorization(authorization);
    if (key === undefined) throw new ColophonError('unauthenticated', 'No API key was sent.');
    return this.withApiKey(key);
  }

  private isUsable(row: KeyRow): boolean {
    if (row.revoked_at !== null || row.disabled_at !== null) return false;
    return row.expires_at === null || row.expires_at > this.clock.now();
  }
}

function invalidKey(): ColophonError {
  return new ColophonError('invalid_api_key', 'The API key is malformed, unknown, expired or revoked.');
}

/** `Bearer` is ours, `Key` is what fal's SDK sends. */
export function keyInAuthorization(authorization: string | undefined): string | undefined {
  return authorization === undefined ? undefined : /^(?:Bearer|Key) (\S+)$/i.exec(authorization)?.[1];
}
