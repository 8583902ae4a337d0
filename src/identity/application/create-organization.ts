import { type AppendEntry } from '../../audit/application/append-entry.js';
import { type LogKeys } from '../../audit/application/log-keys.port.js';
import { type OrganizationTx } from '../../database/organization-tx.js';
import { type Clock } from '../../shared/clock.js';
import { newId, publicId } from '../../shared/ids.js';
import { SYSTEM_ACTOR } from './actor.js';

/** A new organization with its own log. The origin of the log never changes afterwards. */
export class CreateOrganization {
  constructor(
    private readonly organizationTx: OrganizationTx,
    private readonly logKeys: LogKeys,
    private readonly appendEntry: AppendEntry,
    private readonly clock: Clock,
  ) {}

  /**
   * @param host host[:port] under which the log will be read, e.g. `media.example.com`
   * A crash after the key was made leaves an unused key file and no organization.
   */
  async create(
    name: string,
    host: string,
  ): Promise<{ organizationId: string; origin: string; vkey: string }> {
    const organizationId = newId();
    const publicOrganizationId = publicId('organization', organizationId);
    const { origin, vkey } = await this.logKeys.create(
      organizationId,
      `${host}/logs/${publicOrganizationId}`,
    );
    const now = this.clock.now();
    await this.organizationTx.run(organizationId, async (tx) => {
      await tx.query('INSERT INTO organization (organization_id, name, created_at) VALUES ($1, $2, $3)', [
        organizationId,
        name,
        now,
      ]);
      await tx.query(
        `INSERT INTO audit_log (organization_id, origin, vkey, size, edge, created_at) VALUES ($1, $2, $3, 0, '{}', $4)`,
        [organizationId, origin, vkey, now],
      );
      await tx.query(
        `INSERT INTO budget (organization_id, scope, limit_micro_usd) VALUES ($1, 'organization', 0)`,
        [organizationId],
      );
      await this.appendEntry.append(tx, {
        type: 'organization.created',
        actor: SYSTEM_ACTOR,
        subject: { kind: 'organization', id: publicOrganizationId },
        data: { origin, vkey },
      });
    });
    return { organizationId, origin, vkey };
  }
}
