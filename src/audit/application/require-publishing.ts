import { type Tx } from '../../database/organization-tx.js';
import { type Clock } from '../../shared/clock.js';
import { ColophonError } from '../../shared/errors.js';

/** So long may an entry wait for its signed checkpoint before nothing new is begun. */
const MAX_UNPUBLISHED_MS = 120_000;

/**
 * Fail closed (promise P3): while the log of an organization cannot be published, because its sequencer is down or
 * refuses to sign a fork, nothing that would need the log is begun. Whatever was accepted before stays recorded.
 */
export class RequirePublishing {
  constructor(private readonly clock: Clock) {}

  /** @throws ColophonError `audit_unavailable` */
  async check(tx: Tx): Promise<void> {
    const [row] = await tx.query<{ oldest: Date | null }>(
      `SELECT least(
          (SELECT min(recorded_at) FROM audit_pending WHERE organization_id = $1),
          (SELECT e.recorded_at FROM audit_entry e
            WHERE e.organization_id = $1 AND e.index = (
              SELECT coalesce(max(size), 0) FROM audit_checkpoint WHERE organization_id = $1))) AS oldest`,
      [tx.organizationId],
    );
    const oldest = row?.oldest;
    if (!oldest || this.clock.now().getTime() - oldest.getTime() < MAX_UNPUBLISHED_MS) return;
    throw new ColophonError('audit_unavailable', 'The log of this organization is not being published.');
  }
}
