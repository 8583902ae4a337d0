import { type Tx } from '../../database/organization-tx.js';
import { ColophonError } from '../../shared/errors.js';
import { publicId } from '../../shared/ids.js';
import { type Reopened } from '../domain/reopened.js';
import { type ClearanceStanding, type Standing } from './clearance-standing.js';

/**
 * A decision holds as long as what it rests on: one that left questions open needs a waiver that has not ended, and one
 * whose license texts or terms have changed since needs to be made again.
 * Asked again before anything is sent to a provider, and before an asset is released.
 */
export class RequireCleared {
  constructor(private readonly standing: ClearanceStanding) {}

  /** @throws ColophonError `clearance_under_review`, `clearance_denied` */
  async check(tx: Tx, clearanceId: string): Promise<void> {
    requireHolding(await this.standing.of(tx, clearanceId), clearanceId);
  }

  /** The same before something is sent to a provider, on the day on which it is. */
  async checkUnsent(tx: Tx, clearanceId: string): Promise<void> {
    requireHolding(await this.standing.ofUnfinished(tx, clearanceId), clearanceId);
  }

  /** Whether {@link RequireCleared.check} would let it go on. */
  async holds(tx: Tx, clearanceId: string): Promise<boolean> {
    return (await this.standing.of(tx, clearanceId)).kind === 'holds';
  }
}

function requireHolding(standing: Standing, clearanceId: string): void {
  // Also when it is open again: as long as nobody has decided anew, it is not allowed.
  if (standing.kind === 'denied' || standing.last.decision === 'deny')
    throw new ColophonError('clearance_denied', 'The license check did not allow this.');
  switch (standing.kind) {
    case 'holds':
      return;
    case 'open':
      throw new ColophonError(
        'clearance_under_review',
        'No waiver in force accepts what the license check left open.',
      );
    case 'reopened':
      throw new ColophonError('clearance_under_review', reasonOf(standing.changes), {
        extensions: { clearanceId: publicId('clearance', clearanceId), reopened: standing.changes },
      });
  }
}

/** Names the first license; the others stand in the extensions. */
export function reasonOf(changes: readonly Reopened[]): string {
  const [first] = changes;
  const more = changes.length > 1 ? ` (and ${changes.length - 1} more)` : '';
  if (first?.because === 'policy') {
    return `A policy of today (${first.ruleId})${more} asks for more than this was decided with. Decide again, and have accepted what is open then.`;
  }
  if (first?.because === 'day')
    return `It was decided for an earlier day: by today ${first.ruleId}${more} stands against it. Decide again, or choose other models and inputs.`;
  const what =
    first?.because === 'facts'
      ? `A fact of ${first.listingId} (license ${first.licenseKey}) has been recorded anew`
      : `The text of the license ${first?.licenseKey} of ${first?.listingId} has changed`;
  return `${what}${more} since this was decided. Decide again, and have accepted what is open then.`;
}
