import { type AppendEntry } from '../../audit/application/append-entry.js';
import { type Tx } from '../../database/organization-tx.js';
import { type Clock } from '../../shared/clock.js';
import { ColophonError } from '../../shared/errors.js';
import { newId, publicId } from '../../shared/ids.js';
import { generateApiKey, type KeyMode, secretSha256 } from '../domain/api-key.js';
import { refuseTestKeyOnLive } from '../domain/key-mode.js';
import { type Role } from '../domain/principal.js';
import { SYSTEM_ACTOR } from './actor.js';

type Actor = { readonly kind: 'api_key' | 'system'; readonly id: string };

export interface CreatedKey {
  readonly id: string;
  /** The whole key. Shown this once, stored nowhere. */
  readonly text: string;
}

/** Projects, use cases, people and keys: each change with its entry, in the caller's transaction. */
export class Administer {
  constructor(
    private readonly appendEntry: AppendEntry,
    private readonly clock: Clock,
  ) {}

  async createProject(tx: Tx, name: string, actor: Actor = SYSTEM_ACTOR): Promise<string> {
    const id = newId();
    const inserted = await tx.query(
      `INSERT INTO project (organization_id, id, name, created_at) VALUES ($1, $2, $3, $4)
       ON CONFLICT ON CONSTRAINT project_name_unique DO NOTHING RETURNING id`,
      [tx.organizationId, id, name, this.clock.now()],
    );
    if (inserted.length === 0) throw new ColophonError('conflict', 'There is a project with this name.');
    const subject = { kind: 'project', id: publicId('project', id) } as const;
    await this.appendEntry.append(tx, {
      type: 'project.created',
      projectId: id,
      actor,
      subject,
      data: { name },
    });
    return id;
  }

  async createUseCase(tx: Tx, projectId: string, name: string, actor: Actor = SYSTEM_ACTOR): Promise<string> {
    const id = newId();
    const project = await tx.query('SELECT 1 FROM project WHERE organization_id = $1 AND id = $2', [
      tx.organizationId,
      projectId,
    ]);
    if (project.length === 0) throw new ColophonError('not_found', 'There is no project with this id.');
    const inserted = await tx.query(
      `INSERT INTO use_case (organization_id, id, project_id, name, created_at) VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT ON CONSTRAINT use_case_name_unique DO NOTHING RETURNING id`,
      [tx.organizationId, id, projectId, name, this.clock.now()],
    );
    if (inserted.length === 0)
      throw new ColophonError('conflict', 'The project has a use case with this name.');
    await this.appendEntry.append(tx, {
      type: 'use_case.created',
      projectId,
      actor,
      subject: { kind: 'use_case', id: publicId('useCase', id) },
      data: { projectId: publicId('project', projectId), name },
    });
    return id;
  }

  async createPrincipal(
    tx: Tx,
    principal: { kind: 'user' | 'service'; displayName: string; roles: readonly Role[] },
    actor: Actor = SYSTEM_ACTOR,
  ): Promise<string> {
    const id = newId();
    const roles = [...new Set(principal.roles)];
    await tx.query(
      `INSERT INTO principal (organization_id, id, kind, display_name, roles, created_at) VALUES ($1, $2, $3, $4, $5, $6)`,
      [tx.organizationId, id, principal.kind, principal.displayName, roles, this.clock.now()],
    );
    await this.appendEntry.append(tx, {
      type: 'principal.created',
      actor,
      subject: { kind: 'principal', id: publicId('principal', id) },
      data: { roles },
      sealed: { displayName: { value: principal.displayName, subjectId: id } },
    });
    return id;
  }

  async createApiKey(
    tx: Tx,
    key: { principalId: string; mode: KeyMode; expiresAt: Date | undefined },
    actor: Actor = SYSTEM_ACTOR,
  ): Promise<CreatedKey> {
    const generated = generateApiKey(key.mode);
    const principal = await tx.query('SELECT 1 FROM principal WHERE organization_id = $1 AND id = $2', [
      tx.organizationId,
      key.principalId,
    ]);
    if (principal.length === 0) throw new ColophonError('not_found', 'There is no principal with this id.');
    await tx.query(
      `INSERT INTO api_key (organization_id, id, principal_id, mode, secret_sha256, created_at, expires_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7)`,
      [
        tx.organizationId,
        generated.id,
        key.principalId,
        key.mode,
        secretSha256(generated.secret),
        this.clock.now(),
        key.expiresAt ?? null,
      ],
    );
    await tx.query('INSERT INTO api_key_route (key_id, organization_id) VALUES ($1, $2)', [
      generated.id,
      tx.organizationId,
    ]);
    await this.appendEntry.append(tx, {
      type: 'api_key.created',
      actor,
      subject: { kind: 'api_key', id: generated.id },
      data: { keyId: generated.id, mode: key.mode, principalId: publicId('principal', key.principalId) },
    });
    return { id: generated.id, text: generated.text };
  }

  /**
   * Takes effect with the next request: keys are read from the database each time.
   * @param by mode of the key of whoever revokes. @throws ColophonError `not_found`, `wrong_mode`
   */
  async revokeApiKey(tx: Tx, keyId: string, by: KeyMode, actor: Actor): Promise<void> {
    const found = await tx.query<{ mode: KeyMode; revoked_at: Date | null }>(
      'SELECT mode, revoked_at FROM api_key WHERE organization_id = $1 AND id = $2 FOR UPDATE',
      [tx.organizationId, keyId],
    );
    if (!found[0]) throw new ColophonError('not_found', 'There is no API key with this id.');
    refuseTestKeyOnLive(by, found[0].mode, 'The key');
    if (found[0].revoked_at !== null) return;
    await tx.query('UPDATE api_key SET revoked_at = $3 WHERE organization_id = $1 AND id = $2', [
      tx.organizationId,
      keyId,
      this.clock.now(),
    ]);
    await this.appendEntry.append(tx, {
      type: 'api_key.revoked',
      actor,
      subject: { kind: 'api_key', id: keyId },
      data: { keyId },
    });
  }

  /** How much may be spent in all. Lower than what is reserved or spent already: then nothing new is accepted. */
  async setBudget(tx: Tx, limitMicroUsd: bigint, actor: Actor = SYSTEM_ACTOR): Promise<void> {
    await tx.query(
      `UPDATE budget SET limit_micro_usd = $2 WHERE organization_id = $1 AND scope = 'organization' RETURNING scope`,
      [tx.organizationId, limitMicroUsd.toString()],
    );
    await this.appendEntry.append(tx, {
      type: 'budget.set',
      actor,
      subject: { kind: 'organization', id: publicId('organization', tx.organizationId) },
      data: { limitMicroUsd: limitMicroUsd.toString() },
    });
  }
}
