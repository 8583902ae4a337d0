import { type Clock } from '../../shared/clock.js';
import { type FailStep } from './fail-step.js';
import { type Next, type StepWork } from './step-work.js';

/** For a step that is WAITING: when the time for an answer is over, it has failed, and the run goes on or ends. */
export class ExpireStep {
  constructor(
    private readonly failStep: FailStep,
    private readonly clock: Clock,
  ) {}

  async expire(work: StepWork): Promise<Next> {
    const { waitsUntil } = work.step;
    const leftMs = waitsUntil === undefined ? 0 : waitsUntil.getTime() - this.clock.now().getTime();
    if (leftMs > 0) return { wakeInSeconds: Math.ceil(leftMs / 1000) };
    const reason = 'Nobody answered in the time that the pipeline gives.';
    return this.failStep.fail(work, { code: 'deadline_passed', reason, charged: false });
  }
}
