import { type AppendEntry } from '../../audit/application/append-entry.js';
import { type Tx, violatedConstraint } from '../../database/organization-tx.js';
import { actorOf } from '../../identity/application/actor.js';
import { requirePerson } from '../../identity/application/require-person.js';
import { refuseTestKeyOnLive } from '../../identity/domain/key-mode.js';
import { isPermitted, type Principal } from '../../identity/domain/principal.js';
import { canonicalJson } from '../../shared/canonical-json.js';
import { type Clock } from '../../shared/clock.js';
import { ColophonError } from '../../shared/errors.js';
import { newId, publicId } from '../../shared/ids.js';
import {
  type KeyRevocationReason,
  type PublicJwk,
  publicMembers,
  registrationText,
  type SignatureAlgorithm,
  type SignatureKey,
} from '../domain/signature-key.js';
import { requireSignature, thumbprintOf } from './verify-signature.js';

const WHAT = 'A key with which people sign what they did';

interface KeyRow {
  id: string;
  principal_id: string;
  algorithm: SignatureAlgorithm;
  thumbprint: string;
  jwk: Buffer;
  entry_id: string;
  created_at: Date;
  revoked_at: Date | null;
  reason: KeyRevocationReason | null;
}

/** Keys with which people sign the records of their own work. Each is put into the log before anything is signed. */
export class SignatureKeys {
  constructor(
    private readonly appendEntry: AppendEntry,
    private readonly clock: Clock,
  ) {}

  /** @throws ColophonError `wrong_mode`, `signature_invalid`, `forbidden` for a service, `conflict` when the key is registered already */
  async register(tx: Tx, principal: Principal, jwk: PublicJwk, proof: string): Promise<SignatureKey> {
    refuseTestKeyOnLive(principal.mode, 'live', WHAT);
    await requirePerson(tx, principal, 'human-work');
    const algorithm: SignatureAlgorithm = jwk.kty === 'EC' ? 'ES256' : 'EdDSA';
    const thumbprint = await thumbprintOf(jwk, algorithm);
    const text = registrationText(tx.organizationId, principal.principalId, thumbprint);
    await requireSignature(proof, text, { jwk, algorithm });
    const [id, createdAt] = [newId(), this.clock.now()];
    const entryId = await this.appendEntry.append(tx, {
      type: 'signature_key.registered',
      actor: actorOf(principal),
      subject: { kind: 'signature_key', id: publicId('signatureKey', id) },
      data: {
        keyId: publicId('signatureKey', id),
        principalId: publicId('principal', principal.principalId),
        algorithm,
        thumbprint,
        jwk: publicMembers(jwk),
      },
    });
    try {
      await tx.query(
        `INSERT INTO signature_key (organization_id, id, principal_id, algorithm, thumbprint, jwk, entry_id, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
        [
          tx.organizationId,
          id,
          principal.principalId,
          algorithm,
          thumbprint,
          canonicalJson(publicMembers(jwk)),
          entryId,
          createdAt,
        ],
      );
    } catch (error) {
      if (violatedConstraint(error) === 'signature_key_thumbprint_unique')
        throw new ColophonError('conflict', 'This key is registered already.');
      throw error;
    }
    return this.get(tx, id);
  }

  /** One's own, or, for an admin, anybody's. @throws ColophonError `wrong_mode`, `not_found`, `forbidden`, `conflict` */
  async revoke(tx: Tx, principal: Principal, id: string, reason: KeyRevocationReason): Promise<SignatureKey> {
    refuseTestKeyOnLive(principal.mode, 'live', WHAT);
    const key = await this.get(tx, id);
    if (key.principalId !== principal.principalId && !isPermitted(principal, 'organization:administer'))
      throw new ColophonError('forbidden', 'This key is registered to somebody else.');
    const entryId = await this.appendEntry.append(tx, {
      type: 'signature_key.revoked',
      actor: actorOf(principal),
      subject: { kind: 'signature_key', id: publicId('signatureKey', id) },
      data: {
        keyId: publicId('signatureKey', id),
        principalId: publicId('principal', key.principalId),
        reason,
      },
    });
    const inserted = await tx.query(
      `INSERT INTO signature_key_revocation (organization_id, key_id, reason, revoked_by, entry_id, revoked_at)
       VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING RETURNING key_id`,
      [tx.organizationId, id, reason, principal.principalId, entryId, this.clock.now()],
    );
    if (inserted.length === 0) throw new ColophonError('conflict', 'This key has been revoked already.');
    return this.get(tx, id);
  }

  /**
   * A key by which this person may sign now.
   * @throws ColophonError `signature_invalid`: the same for a key of somebody else and for none
   */
  async usable(tx: Tx, principalId: string, id: string): Promise<SignatureKey> {
    const [key] = await this.read(tx, { id, limit: 1 });
    if (key?.principalId !== principalId)
      throw new ColophonError('signature_invalid', 'No such key is registered to you.');
    if (key.revoked !== undefined)
      throw new ColophonError('signature_invalid', 'This key was revoked: nothing is taken that it signs.');
    return key;
  }

  /** @throws ColophonError `not_found` */
  async get(tx: Tx, id: string): Promise<SignatureKey> {
    const [key] = await this.read(tx, { id, limit: 1 });
    if (key === undefined) throw new ColophonError('not_found', 'There is no signatureKey with this id.');
    return key;
  }

  /** Newest first. */
  async list(tx: Tx, limit: number, before: string | undefined): Promise<SignatureKey[]> {
    return this.read(tx, { before, limit });
  }

  private async read(
    tx: Tx,
    { id, before, limit }: { id?: string; before?: string | undefined; limit: number },
  ): Promise<SignatureKey[]> {
    const rows = await tx.query<KeyRow>(
      `SELECT k.id, k.principal_id, k.algorithm, k.thumbprint, k.jwk, k.entry_id, k.created_at, v.revoked_at, v.reason
         FROM signature_key k LEFT JOIN signature_key_revocation v
           ON v.organization_id = k.organization_id AND v.key_id = k.id
        WHERE k.organization_id = $1 AND ($2::uuid IS NULL OR k.id = $2) AND ($3::uuid IS NULL OR k.id < $3)
        ORDER BY k.id DESC LIMIT $4`,
      [tx.organizationId, id ?? null, before ?? null, limit],
    );
    return rows.map((row) => ({
      id: row.id,
      principalId: row.principal_id,
      algorithm: row.algorithm,
      thumbprint: row.thumbprint,
      jwk: JSON.parse(row.jwk.toString('utf8')) as PublicJwk,
      entryId: row.entry_id,
      createdAt: row.created_at,
      revoked: row.revoked_at && row.reason ? { at: row.revoked_at, reason: row.reason } : undefined,
    }));
  }
}
