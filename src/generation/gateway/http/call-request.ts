import { type FastifyRequest } from 'fastify';
import { ColophonError } from '../../../shared/errors.js';
import { parsePublicId } from '../../../shared/ids.js';
import { unknownProject } from '../application/use-case-of-place.js';
import { type CallIdentity, type GatewayPlace } from '../domain/gateway-call.js';

const USE_CASE = /^[a-z][a-z0-9-]{0,59}$/;
/** No use case is called so. */
const NO_NAME = '';
const PRINTABLE_ASCII = /^[\x20-\x7e]{1,255}$/;

/**
 * Where a call goes, by the two parts of its address. What cannot be a project is the same 404 as one that does not
 * exist, and what cannot be a use case is looked up as one that no project has.
 * @throws ColophonError `not_found`
 */
export function placeOf(project: string, useCase: string): GatewayPlace {
  const projectId = parsePublicId('project', project);
  if (projectId === undefined) throw unknownProject();
  return { projectId, useCase: USE_CASE.test(useCase) ? useCase : NO_NAME };
}

/**
 * By what a call is known when it is sent again.
 * @param body its bytes, or hashes that stand for them where an encoding differs each time
 * @throws ColophonError `invalid_idempotency_key`
 */
export function identityOf(request: FastifyRequest, body: readonly (string | Uint8Array)[]): CallIdentity {
  const { headers, method, url } = request;
  const idempotencyKey = headerOf(headers['idempotency-key']);
  if (idempotencyKey !== undefined && !PRINTABLE_ASCII.test(idempotencyKey)) {
    throw new ColophonError(
      'invalid_idempotency_key',
      'The Idempotency-Key is empty, too long or not printable ASCII.',
    );
  }
  const retries = Number(headerOf(headers['x-stainless-retry-count']) ?? 0);
  return {
    idempotencyKey,
    isRetry: Number.isInteger(retries) && retries > 0,
    fingerprint: [method, url, ...body],
  };
}

/** The bytes of a JSON body as they came. */
export function rawBodyOf(request: FastifyRequest): Uint8Array {
  const { rawBody } = request as FastifyRequest & { rawBody?: Buffer };
  if (rawBody === undefined) throw new ColophonError('unsupported_content_type', 'This route takes JSON.');
  return rawBody;
}

function headerOf(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}
