import { type FastifyReply } from 'fastify';
import { type Logger } from 'pino';
import { publicId } from '../../../shared/ids.js';
import { ColophonError } from '../../../shared/errors.js';
import { type GatewayRequests, type RequestedRun } from '../application/gateway-requests.js';

/** Keeps whether an answer reached the network whole; until then the same call gets the same answer. */
export class HandOver {
  constructor(
    private readonly requests: GatewayRequests,
    private readonly logger: Logger,
  ) {}

  /** Before the last piece leaves. */
  begin(organizationId: string, { requestId }: RequestedRun): Promise<void> {
    return this.requests.handingOver(organizationId, requestId);
  }

  /** Tells the database how it ended. When that fails it counts as not delivered. */
  watch(organizationId: string, { requestId }: RequestedRun, { raw }: FastifyReply): void {
    raw.once('close', () => {
      const told = raw.writableFinished
        ? this.requests.handedOver(organizationId, requestId)
        : this.requests.notHandedOver(organizationId, requestId);
      told.catch((error: unknown) =>
        this.logger.warn({ err: error }, 'it could not be kept whether an answer was delivered'),
      );
    });
  }
}

/** What goes wrong after the acceptance names the run. */
export function named(requested: RequestedRun, error: unknown): ColophonError {
  const runId = publicId('run', requested.runId);
  if (error instanceof ColophonError)
    return new ColophonError(error.code, error.message, {
      extensions: { runId, ...error.extensions },
      cause: error,
    });
  return new ColophonError('internal', 'The run was accepted, and its answer cannot be given.', {
    extensions: { runId },
    cause: error,
  });
}
