import { type OrganizationTx } from '../../database/organization-tx.js';
import { ColophonError, isColophonError } from '../../shared/errors.js';
import { storageFailure } from '../../shared/storage-failure.js';
import { LeaseLostError } from '../adapters/run.repository.js';
import { type CaptureStep } from './capture-step.js';
import { type FailStep } from './fail-step.js';
import { type Providers } from './providers.js';
import { type Next, type StepWork } from './step-work.js';
import { WaitedTime } from './waited-time.js';

export interface PollOptions {
  /** Between two questions to a provider. */
  readonly pollSeconds: number;
  /** Before trying again when there is no room for what the job made. */
  readonly holdSeconds: number;
  /** A submitted job without an answer after this time is given up, and paid as estimated. */
  readonly giveUpAfterSeconds: number;
}

/** For a step that is SUBMITTED: the provider has the job and is asked what became of it. Freely repeatable. */
export class PollStep {
  constructor(
    private readonly organizationTx: OrganizationTx,
    private readonly providers: Providers,
    private readonly captureStep: CaptureStep,
    private readonly failStep: FailStep,
    private readonly options: PollOptions,
    private readonly waited = new WaitedTime(),
  ) {}

  async poll(work: StepWork): Promise<Next> {
    const { organizationId, step, signal } = work;
    if (step.upstreamId === undefined) throw new Error(`submitted step ${step.id} has no upstream id`);
    const waitedSeconds = this.waited.seconds(step.id, step.updatedAt);
    try {
      const job = { stepRunId: step.id, endpoint: step.endpoint, upstreamId: step.upstreamId };
      const provider = await this.organizationTx.run(organizationId, (tx) =>
        this.providers.get(tx, step.provider),
      );
      const answer = await provider.poll(job, signal);
      if (answer.kind === 'completed') return await this.captureStep.capture(work, answer);
      if (answer.kind === 'failed') {
        const { code, reason, contentRefusal } = answer;
        // A job that ended with an unusable answer may have been billed: never report less than was spent.
        const charged = answer.mayBeBilled === true || code === 'upstream_invalid';
        const used = { ...work, step: { ...step, usage: answer.usage } };
        return await this.failStep.fail(used, { code, reason, charged, contentRefusal });
      }
    } catch (error) {
      // The job is done, and what it made is not given up for want of room here.
      if (storageFailure(error) !== undefined || isColophonError(error, 'storage_unavailable'))
        return { wakeInSeconds: this.options.holdSeconds };
      if (error instanceof LeaseLostError || (error instanceof ColophonError && error.status === 503))
        throw error;
      // The provider has the job: an address that stays unreachable is asked again, until the deadline.
    }
    if (waitedSeconds > this.options.giveUpAfterSeconds) {
      const reason = 'The provider accepted the job and gave no usable answer in time.';
      return this.failStep.fail(work, { code: 'upstream_timeout', reason, charged: true });
    }
    return { wakeInSeconds: this.options.pollSeconds };
  }
}
