import { type Tx } from '../../database/organization-tx.js';
import { ColophonError, isColophonError } from '../../shared/errors.js';
import { type RunRepository } from '../adapters/run.repository.js';
import { endOfMonth } from '../domain/budget.js';
import { type Operation } from '../domain/operation.js';
import { estimateMicroUsd } from '../domain/price.js';
import { inputFacts } from './check-reservation.js';
import { type OwnPrices } from './own-prices.js';
import { type StepInputs } from './step-inputs.js';

export interface Repricing {
  /** Steps of the month that did the operation, for real, and are paid. */
  readonly steps: number;
  readonly repriced: number;
  /** What the repriced ones cost as they were. */
  readonly recordedMicroUsd: bigint;
  /** What the same ones would cost with the other model, at the prices of today. */
  readonly otherMicroUsd: bigint;
  /** Not in either sum: their price with the other model is not known. */
  readonly unknown: readonly {
    readonly stepRunId: string;
    readonly recordedMicroUsd: bigint;
    readonly because: string;
  }[];
}

/** More is asked for by narrower questions: each step's inputs are opened one by one. */
const MAX_STEPS = 5_000;

/** The same month with another model: what was recorded is priced again; nothing is run and nothing changes. */
export class RepriceMonth {
  constructor(
    private readonly runs: RunRepository,
    private readonly stepInputs: StepInputs,
    private readonly prices: OwnPrices,
  ) {}

  /** @param month `2026-11`, by reservation, in UTC */
  async reprice(
    tx: Tx,
    question: {
      readonly useCaseId: string;
      readonly month: string;
      readonly operation: Operation;
      /** Only steps with this model; absent: all. */
      readonly from: string | undefined;
      readonly to: string;
      readonly endpoint: string | undefined;
    },
  ): Promise<Repricing> {
    const { operation, to: listingId, endpoint } = question;
    const offering = (await this.prices.offerings(tx)).find({ listingId, operation, endpoint });
    if (!offering)
      throw new ColophonError('unknown_model', `Nothing here does "${operation}" with ${listingId}.`);
    const paid = await paidSteps(tx, question);
    const sums = { repriced: 0, recordedMicroUsd: 0n, otherMicroUsd: 0n };
    const unknown: Repricing['unknown'][number][] = [];
    for (const { id, cost } of paid) {
      const recorded = BigInt(cost);
      try {
        if (offering.price === undefined || offering.price.family === 'ceiling')
          throw new ColophonError('price_unknown', `The price of ${listingId} is not known.`);
        const step = await this.runs.step(tx, id);
        const run = await this.runs.get(tx, step.runId);
        const sealed = await this.stepInputs.open(tx, run, step);
        const inputs = inputFacts(sealed, await this.stepInputs.images(tx, run, step, sealed));
        sums.otherMicroUsd += estimateMicroUsd(offering.price, sealed.parameters, { operation, inputs });
        sums.recordedMicroUsd += recorded;
        sums.repriced++;
      } catch (error) {
        if (!isColophonError(error)) throw error;
        unknown.push({ stepRunId: id, recordedMicroUsd: recorded, because: error.message });
      }
    }
    return { steps: paid.length, ...sums, unknown };
  }
}

async function paidSteps(
  tx: Tx,
  question: { useCaseId: string; month: string; operation: Operation; from: string | undefined },
): Promise<{ id: string; cost: string }[]> {
  const rows = await tx.query<{ id: string; cost: string }>(
    `SELECT s.id, e.amount_micro_usd AS cost
       FROM run r
       JOIN step_run s ON s.organization_id = r.organization_id AND s.run_id = r.id
       JOIN money_movement m ON m.organization_id = s.organization_id AND m.step_run_id = s.id AND m.kind = 'reservation'
       JOIN money_movement e ON e.organization_id = s.organization_id AND e.step_run_id = s.id AND e.kind = 'settlement'
      WHERE r.organization_id = $1 AND r.use_case_id = $2 AND r.mode = 'live' AND s.operation = $3
        AND ($4::text IS NULL OR s.listing_id = $4) AND m.created_at >= $5 AND m.created_at < $6
      ORDER BY s.id LIMIT $7`,
    [
      tx.organizationId,
      question.useCaseId,
      question.operation,
      question.from ?? null,
      new Date(`${question.month}-01T00:00:00.000Z`),
      endOfMonth(question.month),
      MAX_STEPS + 1,
    ],
  );
  if (rows.length > MAX_STEPS)
    throw new ColophonError('invalid_request', `The month has more than ${MAX_STEPS} steps: name "from".`);
  return rows;
}
