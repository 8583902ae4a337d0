import { type IncomingHttpHeaders } from 'node:http';
import { type DataSource } from 'typeorm';
import { type OrganizationTx } from '../../database/organization-tx.js';
import { SYSTEM_ACTOR } from '../../identity/application/actor.js';
import { type RunRepository } from '../adapters/run.repository.js';
import { type WebhookAddress } from '../domain/webhook-address.js';
import { type ReconcileStep } from './reconcile-step.js';

/** Checks the signature of a delivery. @throws ColophonError `bad_signature` */
export interface WebhookVerifier {
  verify(delivery: { headers: IncomingHttpHeaders; rawBody: Buffer }): Promise<{ requestId: string }>;
}

/**
 * A delivery says "this job is done". Its content is not used: what the job made is asked from the provider. An address
 * that was not given to fal is acknowledged and dropped, so that nothing can be learnt by trying.
 */
export class ReceiveFalWebhook {
  constructor(
    private readonly verifier: WebhookVerifier,
    private readonly addresses: WebhookAddress,
    private readonly dataSource: DataSource,
    private readonly organizationTx: OrganizationTx,
    private readonly runs: RunRepository,
    private readonly reconcileStep: ReconcileStep,
  ) {}

  /** @param address last part of the path */
  async receive(address: string, delivery: { headers: IncomingHttpHeaders; rawBody: Buffer }): Promise<void> {
    const { requestId } = await this.verifier.verify(delivery);
    const stepRunId = this.addresses.stepRunIdOf(address);
    if (stepRunId === undefined) return;
    const organizationId = await this.runs.organizationOfStep(
      (sql, values) => this.dataSource.query(sql, values),
      stepRunId,
    );
    if (organizationId === undefined) return;
    await this.organizationTx.run(organizationId, async (tx) => {
      const step = await this.runs.step(tx, stepRunId);
      if (step.provider !== 'fal') return;
      await this.reconcileStep.learnUpstreamId(tx, stepRunId, requestId, SYSTEM_ACTOR);
    });
  }
}
