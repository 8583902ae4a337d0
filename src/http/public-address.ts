import { type FastifyRequest } from 'fastify';

/** Under which address this service is reached: as configured, or else as the request says. */
export class PublicAddress {
  constructor(private readonly configured: string | undefined) {}

  /** Without a trailing slash. */
  of(request: FastifyRequest): string {
    return this.configured ?? `${request.protocol}://${request.host}`;
  }
}
