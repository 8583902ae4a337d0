import { type AppendEntry } from '../../audit/application/append-entry.js';
import { type Tx } from '../../database/organization-tx.js';
import { SYSTEM_ACTOR } from '../../identity/application/actor.js';
import { type Clock } from '../../shared/clock.js';
import { ColophonError } from '../../shared/errors.js';
import { publicId } from '../../shared/ids.js';
import { formatUsd, type MicroUsd } from '../../shared/money.js';
import { type StepRun } from '../domain/run.js';

/**
 * `billed`: what the provider reported. `estimate`: it reported nothing, the reservation stands. `free`: done on this
 * machine or in the sandbox. `none`: never sent.
 */
export type SettlementBasis = 'billed' | 'estimate' | 'free' | 'none';

/**
 * Reservation, settlement, release. The reservation is one conditional UPDATE, so parallel requests cannot overspend;
 * settlement and release are unique per step, so a repeated step is never paid twice.
 */
export class Money {
  constructor(
    private readonly appendEntry: AppendEntry,
    private readonly clock: Clock,
  ) {}

  /** @throws ColophonError `budget_exceeded` */
  async reserve(tx: Tx, steps: readonly { id: string; reservedMicroUsd: MicroUsd }[]): Promise<void> {
    const total = steps.reduce((sum, step) => sum + step.reservedMicroUsd, 0n);
    if (total > 0n) {
      const reserved = await tx.query(
        `UPDATE budget SET reserved_micro_usd = reserved_micro_usd + $2
          WHERE organization_id = $1 AND scope = 'organization'
            AND spent_micro_usd + reserved_micro_usd + $2 <= limit_micro_usd
          RETURNING scope`,
        [tx.organizationId, total.toString()],
      );
      if (reserved.length === 0) {
        throw new ColophonError(
          'budget_exceeded',
          `The run needs up to ${formatUsd(total)} USD, which the budget does not hold.`,
        );
      }
    }
    for (const step of steps) await this.move(tx, step.id, 'reservation', step.reservedMicroUsd, 'estimate');
  }

  /** What the step cost in the end. The rest of its reservation is free again. */
  async settle(
    tx: Tx,
    projectId: string,
    step: StepRun,
    { cost, basis }: { readonly cost: MicroUsd; readonly basis: SettlementBasis },
  ): Promise<void> {
    if (!(await this.move(tx, step.id, 'settlement', cost, basis))) return;
    if (cost > 0n || step.reservedMicroUsd > 0n) {
      await tx.query(
        `UPDATE budget SET reserved_micro_usd = reserved_micro_usd - $2, spent_micro_usd = spent_micro_usd + $3
          WHERE organization_id = $1 AND scope = 'organization' RETURNING scope`,
        [tx.organizationId, step.reservedMicroUsd.toString(), cost.toString()],
      );
    }
    await this.appendEntry.append(tx, {
      type: 'step.settled',
      projectId,
      actor: SYSTEM_ACTOR,
      subject: { kind: 'step_run', id: publicId('stepRun', step.id) },
      data: { runId: publicId('run', step.runId), stepKey: step.key, costMicroUsd: cost.toString(), basis },
    });
  }

  /** The step will never be sent. */
  async release(tx: Tx, step: StepRun): Promise<void> {
    if (!(await this.move(tx, step.id, 'release', step.reservedMicroUsd, 'none'))) return;
    if (step.reservedMicroUsd === 0n) return;
    await tx.query(
      `UPDATE budget SET reserved_micro_usd = reserved_micro_usd - $2
        WHERE organization_id = $1 AND scope = 'organization' RETURNING scope`,
      [tx.organizationId, step.reservedMicroUsd.toString()],
    );
  }

  /** False when this movement was made before: its effect is there already. */
  private async move(
    tx: Tx,
    stepRunId: string,
    kind: string,
    amount: MicroUsd,
    basis: SettlementBasis,
  ): Promise<boolean> {
    const inserted = await tx.query(
      `INSERT INTO money_movement (organization_id, step_run_id, kind, amount_micro_usd, basis, created_at)
       VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING RETURNING kind`,
      [tx.organizationId, stepRunId, kind, amount.toString(), basis, this.clock.now()],
    );
    return inserted.length > 0;
  }
}
