import { type FastifyReply, type FastifyRequest } from 'fastify';
import { type Socket } from 'node:net';
import { type Logger } from 'pino';
import { type Arrival, whenArrivalShows } from '../../../http/arrival.js';
import { publicId } from '../../../shared/ids.js';
import { ColophonError } from '../../../shared/errors.js';
import { type GatewayRequests, type RequestedRun } from '../application/gateway-requests.js';

/** Keeps whether an answer reached its client; until that shows the same call gets the same answer. */
export class HandOver {
  private readonly telling = new WeakMap<Socket, Promise<void>>();

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
    let told = Promise.resolve();
    whenArrivalShows(raw, (arrival) => {
      told = told
        .then(() => this.tell(organizationId, requestId, arrival))
        .catch((error: unknown) =>
          this.logger.warn({ err: error }, 'it could not be kept whether an answer was delivered'),
        );
      this.telling.set(raw.req.socket, told);
    });
  }

  /**
   * A further call on a connection shows that the answer before was read: this is in the database before the call is
   * looked up, so that it is a new wish.
   */
  async kept({ raw }: FastifyRequest): Promise<void> {
    await this.telling.get(raw.socket);
  }

  private async tell(organizationId: string, requestId: string, arrival: Arrival): Promise<void> {
    switch (arrival) {
      case 'arrived':
      case 'quiet':
        return this.requests.handedOver(organizationId, requestId);
      case 'lost':
        return this.requests.notHandedOver(organizationId, requestId);
      case 'unknown':
      // Left to its end: an equal call then gets the same answer.
    }
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
