import { type Tx } from '../../database/organization-tx.js';
import { type Attempt, type DeliverySchedule, type Outcome, outcomeOf } from '../domain/delivery-schedule.js';

/** Where deliveries of one kind stand, and at which pauses they are made. */
export interface DeliveryKind {
  readonly table: 'webhook_delivery' | 'gateway_delivery';
  /** Whether the row itself says when the next attempt is due; else a wake-up does. */
  readonly isDueByRow: boolean;
  readonly schedule: DeliverySchedule;
}

/**
 * Writes down what became of an attempt.
 * @param made before this one, as the row said when the attempt began
 * @returns what follows; `undefined` when somebody else recorded an attempt meanwhile, and nothing is to be done
 */
export async function recordAttempt(
  tx: Tx,
  { table, isDueByRow, schedule }: DeliveryKind,
  { id, made }: { readonly id: string; readonly made: number },
  attempt: Attempt,
  now: Date,
): Promise<Outcome | undefined> {
  const outcome = outcomeOf(attempt, made + 1, schedule);
  const pauseMs = outcome.state === 'due' ? outcome.pauseSeconds * 1000 : 0;
  const changed = await tx.query(
    `UPDATE ${table} SET state = $3, attempts = $4 + 1, last_status = $5, last_error = $6, last_attempt_at = $7
            ${isDueByRow ? ', next_attempt_at = $8' : ''}
      WHERE organization_id = $1 AND id = $2 AND state = 'due' AND attempts = $4 RETURNING id`,
    [
      tx.organizationId,
      id,
      outcome.state,
      made,
      'status' in attempt ? attempt.status : null,
      'error' in attempt ? attempt.error : null,
      now,
      ...(isDueByRow ? [new Date(now.getTime() + pauseMs)] : []),
    ],
  );
  return changed.length === 0 ? undefined : outcome;
}
