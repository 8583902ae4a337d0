import { type Tx } from '../../database/organization-tx.js';
import { type Clock } from '../../shared/clock.js';
import { ColophonError } from '../../shared/errors.js';

/** So long may an entry wait for its signed checkpoint before nothing new is begun. */
const MAX_UNPUBLISHED_MS = 120_000;
/** So many entries of one organization may wait for their index: a sequencer that cannot keep up is not pushed further. */
const MAX_PENDING = 50_000;

/**
 * Fail closed (promise P3): while the log of an organization cannot be published, because its sequencer is down or
 * refuses to sign a fork, nothing that would need the log is begun. Whatever was accepted before stays recorded.
 */
export class RequirePublishing {
  constructor(
    private readonly clock: Clock,
    /** Entries under the checkpoint that the world can see. A checkpoint that is only recorded does not count. */
    private readonly publishedSize: (organizationId: string) => Promise<number>,
  ) {}

  /** @throws ColophonError `audit_unavailable` */
  async check(tx: Tx): Promise<void> {
    const published = await this.readPublishedSize(tx.organizationId);
    const [row] = await tx.query<{ oldest: Date | null; crowded: boolean; rewound: boolean }>(
      `SELECT (SELECT size FROM audit_log WHERE organization_id = $1) < $3 AS rewound, EXISTS (SELECT 1 FROM audit_pending WHERE organization_id = $1 OFFSET $2) AS crowded, least(
          (SELECT min(recorded_at) FROM audit_pending WHERE organization_id = $1),
          (SELECT e.recorded_at FROM audit_entry e
            WHERE e.organization_id = $1 AND e.index = $3)) AS oldest`,
      [tx.organizationId, MAX_PENDING, published],
    );
    if (row?.rewound)
      throw new ColophonError(
        'audit_unavailable',
        'The database is older than the published log: it was probably restored from a backup.',
      );
    if (row?.crowded)
      throw new ColophonError('audit_unavailable', 'Too many entries wait to be taken into the log.');
    const oldest = row?.oldest;
    if (!oldest || this.clock.now().getTime() - oldest.getTime() < MAX_UNPUBLISHED_MS) return;
    throw new ColophonError('audit_unavailable', 'The log of this organization is not being published.');
  }

  private async readPublishedSize(organizationId: string): Promise<number> {
    try {
      return await this.publishedSize(organizationId);
    } catch (cause) {
      throw new ColophonError('audit_unavailable', 'The published log cannot be read.', { cause });
    }
  }
}
