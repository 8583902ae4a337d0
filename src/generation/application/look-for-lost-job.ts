import { type OrganizationTx } from '../../database/organization-tx.js';
import { SYSTEM_ACTOR } from '../../identity/application/actor.js';
import { type LostJob, type Provider } from '../domain/provider.port.js';
import { type Providers } from './providers.js';
import { type ReconcileStep } from './reconcile-step.js';
import { type Next, type StepWork } from './step-work.js';
import { WaitedTime } from './waited-time.js';

export interface LookOptions {
  /** Between two looks. */
  readonly lookSeconds: number;
  /** After this time only a webhook or a person ends the uncertainty. */
  readonly lookForSeconds: number;
}

/**
 * For a step that is OUTCOME_UNKNOWN: providers that list their jobs are asked whether they have it. Finding it is a
 * definite answer, and the step goes on as submitted. Not finding it is none: a list may lag behind, so nothing is ever
 * sent again for it (promise P2).
 */
export class LookForLostJob {
  constructor(
    private readonly organizationTx: OrganizationTx,
    private readonly providers: Providers,
    private readonly reconcileStep: ReconcileStep,
    private readonly options: LookOptions,
    private readonly waited = new WaitedTime(),
  ) {}

  async look({ organizationId, step, signal }: StepWork): Promise<Next> {
    const provider = await this.organizationTx
      .run(organizationId, (tx) => this.providers.get(tx, step.provider))
      .catch(() => undefined);
    if (provider?.findLost === undefined) return 'stop';
    const job = await this.ask(provider, step, signal);
    if (job.kind === 'found' && !step.formerUpstreamIds.includes(job.upstreamId)) {
      await this.organizationTx.run(organizationId, (tx) =>
        this.reconcileStep.learnUpstreamId(tx, step.id, job.upstreamId, SYSTEM_ACTOR),
      );
      return 'again';
    }
    const waitedSeconds = this.waited.seconds(step.id, step.updatedAt);
    return waitedSeconds > this.options.lookForSeconds ? 'stop' : { wakeInSeconds: this.options.lookSeconds };
  }

  /** A list that cannot be read tells nothing: it is asked again like one that does not hold the step. */
  private async ask(
    provider: Provider,
    step: { readonly id: string; readonly endpoint: string },
    signal: AbortSignal,
  ): Promise<LostJob> {
    try {
      const wanted = { stepRunId: step.id, endpoint: step.endpoint };
      return (await provider.findLost?.(wanted, signal)) ?? { kind: 'not-found' };
    } catch {
      return { kind: 'not-found' };
    }
  }
}
