import { type IncomingHttpHeaders } from 'node:http';
import { type DataSource } from 'typeorm';
import { type OrganizationTx } from '../../database/organization-tx.js';
import { SYSTEM_ACTOR } from '../../identity/application/actor.js';
import { ColophonError, isColophonError } from '../../shared/errors.js';
import { type RunRepository } from '../adapters/run.repository.js';
import { type Providers } from './providers.js';
import { type ReconcileStep } from './reconcile-step.js';

export interface ReplicateDelivery {
  readonly headers: IncomingHttpHeaders;
  readonly rawBody: Buffer;
}

/** Checks a delivery with the secret of the account. @throws ColophonError `bad_signature` */
export interface ReplicateDeliveryVerifier {
  verify(token: string, delivery: ReplicateDelivery): Promise<{ readonly predictionId: string }>;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/**
 * A delivery says "this prediction is done". Its content is not used: what was made is asked from Replicate. Whose
 * secret it must be signed with follows from the step that the address names; an address that names none is refused
 * like a wrong signature, so that nothing can be learnt by trying.
 */
export class ReceiveReplicateWebhook {
  constructor(
    private readonly verifier: ReplicateDeliveryVerifier,
    private readonly dataSource: DataSource,
    private readonly organizationTx: OrganizationTx,
    private readonly runs: RunRepository,
    private readonly providers: Providers,
    private readonly reconcileStep: ReconcileStep,
  ) {}

  async receive(stepRunId: string, delivery: ReplicateDelivery): Promise<void> {
    const organizationId = UUID.test(stepRunId)
      ? await this.runs.organizationOfStep((sql, values) => this.dataSource.query(sql, values), stepRunId)
      : undefined;
    if (organizationId === undefined) throw notVerified();
    const token = await this.organizationTx.run(organizationId, async (tx) => {
      const step = await this.runs.step(tx, stepRunId);
      return step.provider === 'replicate' ? this.providers.keyOf(tx, 'replicate') : undefined;
    });
    if (token === undefined) throw notVerified();
    const { predictionId } = await this.verifier.verify(token, delivery).catch((error: unknown) => {
      throw isColophonError(error, 'bad_signature') ? notVerified() : error;
    });
    await this.organizationTx.run(organizationId, (tx) =>
      this.reconcileStep.learnUpstreamId(tx, stepRunId, predictionId, SYSTEM_ACTOR),
    );
  }
}

function notVerified(): ColophonError {
  return new ColophonError('bad_signature', 'The delivery does not verify.');
}
