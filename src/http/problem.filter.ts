import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { type Logger } from 'pino';
import { isDatabaseUnreachable } from '../database/organization-tx.js';
import { ColophonError, ERROR_CODES, type ErrorCode } from '../shared/errors.js';
import { storageFailure } from '../shared/storage-failure.js';
import { allowedMethods } from './allowed-methods.js';
import { errorFormOf, notServed } from './error-forms.js';
import { isOpenToBrowsers } from './open-to-browsers.js';

/**
 * RFC 9457 problem details. The one place where an error becomes an answer.
 * `detail` is written for the caller; stack, SQL and causes go to the operator's log only.
 */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: ErrorCode;
  readonly detail: string;
  readonly howToFix: string;
  readonly requestId: string;
  readonly [extension: string]: unknown;
}

export function toProblem(error: ColophonError, requestId: string): Problem {
  const { status, howToFix } = ERROR_CODES[error.code];
  return {
    ...error.extensions,
    type: `urn:colophon:error:${error.code}`,
    title: error.code.replaceAll('_', ' '),
    status,
    code: error.code,
    detail: error.message,
    howToFix,
    requestId,
  };
}

@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly logger: Logger) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<FastifyRequest>();
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    const allowed = request.is404 ? allowedMethods(request) : [];
    const form = request.is404 ? errorFormOf(request.url) : undefined;
    const unknown = form ? notServed(form) : errorOfRequest(request, thrown);
    const error = allowed.length > 0 ? methodNotAllowed(allowed) : unknown;
    if (error.status >= 500)
      this.logger.error(
        { requestId: request.id, code: error.code, err: error.cause ?? error },
        'request failed',
      );
    if (reply.raw.headersSent) {
      // The body has begun: the only honest signal left is to break the connection.
      reply.raw.destroy();
      return;
    }
    if (allowed.length > 0) void reply.header('allow', allowed.join(', '));
    sendProblem(reply, error, String(request.id));
  }
}

export function sendProblem(reply: FastifyReply, error: ColophonError, requestId: string): void {
  if (error.status === 401) void reply.header('www-authenticate', 'Bearer realm="colophon"');
  if (error.status === 503 || error.code === 'idempotency_in_flight') void reply.header('retry-after', '1');
  if (error.status === 413) readOnForAWhile(reply);
  const problem = toProblem(error, requestId);
  const formed = errorFormOf(reply.request.url)?.form(problem);
  if (formed) {
    void reply
      .status(formed.status ?? error.status)
      .headers({ 'cache-control': 'no-store', ...workHeaders(problem), ...formed.headers })
      .type('application/json')
      .send(JSON.stringify(formed.body));
    return;
  }
  // The soft binding resolution API of C2PA has a form of its own: `error`, as plain JSON. Ours is in it as well.
  const isSoftBinding = isOpenToBrowsers(reply.request.url);
  void reply
    .status(error.status)
    .header('cache-control', 'no-store')
    .type(isSoftBinding ? 'application/json' : 'application/problem+json')
    .send(JSON.stringify(isSoftBinding ? { error: error.message, ...problem } : problem));
}

/** As long as web servers linger: a sender who has not looked for an answer by then has none of it. */
const READ_ON_MS = 30_000;

/**
 * The framework would close the connection while the body is still coming, and the sender might see a reset in place of
 * the answer. Node reads on and throws away.
 */
function readOnForAWhile(reply: FastifyReply): void {
  void reply.removeHeader('connection');
  const { raw } = reply.request;
  const { socket } = raw;
  reply.raw.once('finish', () => {
    const timer = setTimeout(() => {
      if (!raw.complete) socket.destroy();
    }, READ_ON_MS);
    timer.unref();
    raw.once('close', () => {
      clearTimeout(timer);
    });
  });
}

/** Which decision, run and files an answer of the gateway is about. */
export function workHeaders(about: Readonly<Record<string, unknown>>): Record<string, string> {
  const { runId, clearanceId, assetIds } = about;
  return {
    ...(typeof runId === 'string' ? { 'x-colophon-run-id': runId } : {}),
    ...(typeof clearanceId === 'string' ? { 'x-colophon-clearance-id': clearanceId } : {}),
    ...(Array.isArray(assetIds) && assetIds.length > 0 ? { 'x-colophon-asset-ids': assetIds.join(',') } : {}),
  };
}

/** What the request itself explains: it broke off, or the framework found its body too large. */
function errorOfRequest(request: FastifyRequest, thrown: unknown): ColophonError {
  // What was thrown while a body was read may have destroyed the request as well, which did not break off by that.
  if (thrown instanceof ColophonError) return thrown;
  // The error of the caller's connection looks like that of one to the database.
  if (request.raw.errored === thrown && thrown instanceof Error)
    return new ColophonError('invalid_request', 'The request broke off.', { cause: thrown });
  const { bodyLimit } = request.routeOptions;
  if (statusOf(thrown) === 413 && bodyLimit !== undefined)
    return new ColophonError('payload_too_large', `This route accepts bodies of up to ${bodyLimit} bytes.`);
  return toColophonError(thrown);
}

/** Errors of the framework and its plugins carry a status; everything else is ours to answer for. */
export function toColophonError(thrown: unknown): ColophonError {
  if (thrown instanceof ColophonError) return thrown;
  const noRoom = storageFailure(thrown);
  if (noRoom !== undefined) return noRoom;
  if (isDatabaseUnreachable(thrown)) {
    return new ColophonError('audit_unavailable', 'The database cannot be reached or refuses writes.', {
      cause: thrown,
    });
  }
  const status = statusOf(thrown);
  const message = thrown instanceof Error ? thrown.message : '';
  switch (status ?? 500) {
    case 400:
      return new ColophonError(
        /JSON/i.test(message) ? 'invalid_json' : 'invalid_request',
        'The request cannot be read.',
        { cause: thrown },
      );
    case 403: // a path that leads out of a folder of files
    case 404:
    case 414: // an id longer than any id
      return new ColophonError('not_found', 'There is nothing at this address.');
    case 405:
      return new ColophonError('method_not_allowed', 'This address does not know the method.');
    case 413:
      return new ColophonError('payload_too_large', 'The request body is larger than this route accepts.');
    case 415:
      return new ColophonError('unsupported_content_type', 'This route does not accept the content type.');
    case 429:
      return new ColophonError('rate_limited', 'Too many requests.');
    default:
      return new ColophonError('internal', 'Something went wrong on our side.', { cause: thrown });
  }
}

function methodNotAllowed(allowed: readonly string[]): ColophonError {
  return new ColophonError('method_not_allowed', `This address knows only ${allowed.join(', ')}.`);
}

function statusOf(thrown: unknown): number | undefined {
  if (thrown instanceof HttpException) return thrown.getStatus();
  if (
    typeof thrown === 'object' &&
    thrown !== null &&
    'statusCode' in thrown &&
    typeof thrown.statusCode === 'number'
  ) {
    return thrown.statusCode;
  }
  return undefined;
}
