import { type Tx } from '../../database/organization-tx.js';
import { ColophonError, isColophonError } from '../../shared/errors.js';
import { type RunRepository } from '../adapters/run.repository.js';
import { endOfMonth } from '../domain/budget.js';
import { type Operation } from '../domain/operation.js';
import { estimateMicroUsd, type Price } from '../domain/price.js';
import { type StepRun } from '../domain/run.js';
import { inputFacts } from './check-reservation.js';
import { type OwnPrices } from './own-prices.js';
import { type StepInputs } from './step-inputs.js';

export interface Repricing {
  /** Steps of the month that did the operation, for real, succeeded and are paid. */
  readonly steps: number;
  readonly repriced: number;
  /** What the repriced ones cost as they were. */
  readonly recordedMicroUsd: bigint;
  /**
   * Estimates of the same ones with the model that did them and with the other, by the same rule and at the prices of
   * their day: an estimate is an upper bound, so it is compared with nothing but an estimate.
   */
  readonly sameMicroUsd: bigint;
  readonly otherMicroUsd: bigint;
  /** Charged although they failed: another model says nothing of these. In no sum above. */
  readonly failed: { readonly steps: number; readonly recordedMicroUsd: bigint };
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
    // The sandbox makes nothing that could be shown: its 0 is no price.
    if (!offering || offering.provider === 'sandbox')
      throw new ColophonError('unknown_model', `Nothing here does "${operation}" with ${listingId}.`);
    const all = await paidSteps(tx, question);
    const paid = all.filter(({ succeeded }) => succeeded);
    const failed = all.filter(({ succeeded }) => !succeeded);
    const sums = { repriced: 0, recordedMicroUsd: 0n, sameMicroUsd: 0n, otherMicroUsd: 0n };
    const unknown: Repricing['unknown'][number][] = [];
    for (const { id, cost } of paid) {
      const recorded = BigInt(cost);
      try {
        const step = await this.runs.step(tx, id);
        const run = await this.runs.get(tx, step.runId);
        const sealed = await this.stepInputs.open(tx, run, step);
        const inputs = inputFacts(sealed, await this.stepInputs.images(tx, run, step, sealed));
        const { provider } = offering;
        const other = { ...step, provider, listingId, endpoint: offering.endpoint };
        const [same, repriced] = [await this.priceThen(tx, step), await this.priceThen(tx, other)].map(
          (price) => estimateMicroUsd(price, sealed.parameters, { operation, inputs }),
        );
        sums.sameMicroUsd += same ?? 0n;
        sums.otherMicroUsd += repriced ?? 0n;
        sums.recordedMicroUsd += recorded;
        sums.repriced++;
      } catch (error) {
        if (!isColophonError(error)) throw error;
        unknown.push({ stepRunId: id, recordedMicroUsd: recorded, because: error.message });
      }
    }
    const failedMicroUsd = failed.reduce((sum, { cost }) => sum + BigInt(cost), 0n);
    return {
      steps: paid.length,
      ...sums,
      failed: { steps: failed.length, recordedMicroUsd: failedMicroUsd },
      unknown,
    };
  }

  /** At the moment at which the step was reserved. @throws ColophonError `price_unknown` */
  private async priceThen(tx: Tx, step: StepRun): Promise<Price> {
    const price = await this.prices.ofStep(tx, step);
    if (price === undefined || price.family === 'ceiling')
      throw new ColophonError('price_unknown', `The price of ${step.listingId} on that day is not known.`);
    return price;
  }
}

interface PaidStep {
  readonly id: string;
  readonly cost: string;
  readonly succeeded: boolean;
}

async function paidSteps(
  tx: Tx,
  question: { useCaseId: string; month: string; operation: Operation; from: string | undefined },
): Promise<PaidStep[]> {
  const rows = await tx.query<PaidStep>(
    `SELECT s.id, e.amount_micro_usd AS cost, s.state = 'SUCCEEDED' AS succeeded
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
