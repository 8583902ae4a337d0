import { type Asset } from '../../assets/domain/asset.js';
import { type Tx } from '../../database/organization-tx.js';
import { ColophonError } from '../../shared/errors.js';
import { estimateMicroUsd } from '../domain/price.js';
import { type SealedStepInputs, type StepRun } from '../domain/run.js';
import { estimateInUse } from '../domain/step-plan.js';
import { factsOf, type InputFacts } from '../domain/work.js';
import { type OwnPrices } from './own-prices.js';

/**
 * What earlier steps made may be larger or longer than could be known when the money was reserved. Then the step is not
 * sent: a hard limit holds because nothing is asked for beyond what it has let through.
 */
export class CheckReservation {
  constructor(private readonly prices: OwnPrices) {}

  /** @throws ColophonError `budget_exceeded`, `price_unknown` */
  async require(
    tx: Tx,
    step: StepRun,
    inputs: SealedStepInputs,
    assets: Readonly<Record<string, Asset>>,
  ): Promise<void> {
    if (!Object.values(inputs.images).some(({ kind }) => kind === 'step')) return;
    if (step.reservedMicroUsd === 0n) return;
    const price = await this.prices.ofStep(tx, step);
    if (price === undefined || price.family === 'ceiling') return;
    const work = { operation: step.operation, inputs: inputFacts(inputs, assets) };
    const needed = estimateMicroUsd(price, inputs.parameters, work);
    const reserved = estimateInUse(step);
    if (needed <= reserved) return;
    throw new ColophonError(
      'budget_exceeded',
      `What an earlier step made is larger than could be known when the money was reserved: ${needed} micro-USD may be needed, and ${reserved} are reserved. Nothing was sent. State the size of the output, or start a run with the file as its input.`,
    );
  }
}

/** Of the media that go into a step, which are there. */
export function inputFacts(
  { images }: SealedStepInputs,
  assets: Readonly<Record<string, Asset>>,
): InputFacts[] {
  return Object.entries(assets).map(([name, asset]) => factsOf(images[name]?.media ?? 'image', asset));
}
