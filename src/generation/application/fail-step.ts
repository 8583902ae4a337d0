import { type OrganizationTx } from '../../database/organization-tx.js';
import { type EndStep, type StepFailure } from './end-step.js';
import { type Next, type StepWork } from './step-work.js';
import { type TryAgain } from './try-again.js';

/** From any open state to FAILED, or back to RESERVED where the definition allows another try; one transaction. */
export class FailStep {
  constructor(
    private readonly organizationTx: OrganizationTx,
    private readonly endStep: EndStep,
    private readonly tryAgain: TryAgain,
  ) {}

  async fail({ organizationId, step, lease }: StepWork, failure: StepFailure): Promise<Next> {
    return this.organizationTx.run(organizationId, async (tx) => {
      const next = await this.tryAgain.after(tx, step, lease, failure);
      if (next !== undefined) return next;
      await this.endStep.fail(tx, step, lease, failure);
      return 'ended';
    });
  }
}
