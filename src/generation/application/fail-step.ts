import { type OrganizationTx } from '../../database/organization-tx.js';
import { type EndStep, type StepFailure } from './end-step.js';
import { type Next, type StepWork } from './step-work.js';

/** From any open state to FAILED, in a transaction of its own. */
export class FailStep {
  constructor(
    private readonly organizationTx: OrganizationTx,
    private readonly endStep: EndStep,
  ) {}

  async fail({ organizationId, step, lease }: StepWork, failure: StepFailure): Promise<Next> {
    await this.organizationTx.run(organizationId, (tx) => this.endStep.fail(tx, step, lease, failure));
    return 'stop';
  }
}
