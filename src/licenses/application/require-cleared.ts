import { type Tx } from '../../database/organization-tx.js';
import { type Clock } from '../../shared/clock.js';
import { ColophonError } from '../../shared/errors.js';

/**
 * A decision holds as long as what it rests on: one that left questions open needs a waiver that has not ended.
 * Asked again before anything is sent to a provider, and before an asset is released.
 */
export class RequireCleared {
  constructor(private readonly clock: Clock) {}

  /** @throws ColophonError `clearance_under_review`, `clearance_denied` */
  async check(tx: Tx, clearanceId: string): Promise<void> {
    const [row] = await tx.query<{ decision: string; waived: boolean }>(
      `SELECT c.decision, EXISTS (
                SELECT 1 FROM waiver w
                 WHERE w.organization_id = c.organization_id AND w.clearance_id = c.id AND w.expires_at > $3) AS waived
         FROM clearance c WHERE c.organization_id = $1 AND c.id = $2`,
      [tx.organizationId, clearanceId, this.clock.now()],
    );
    if (row?.decision === 'allow') return;
    if (row?.decision === 'review' && row.waived) return;
    if (row?.decision === 'review') {
      throw new ColophonError(
        'clearance_under_review',
        'No waiver in force accepts what the license check left open.',
      );
    }
    throw new ColophonError('clearance_denied', 'The license check did not allow this.');
  }
}
