import multipart from '@fastify/multipart';
import rateLimit from '@fastify/rate-limit';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { type DynamicModule } from '@nestjs/common';
import { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { randomUUID } from 'node:crypto';
import { type Configuration } from '../config/configuration.js';
import { sha256Hex } from '../shared/bytes.js';
import { ColophonError } from '../shared/errors.js';
import { noticeFurtherRequests } from './arrival.js';
import { refuseUnexpectedForm } from './form-route.js';
import { type Metrics } from './metrics.js';
import { installApiDocumentation } from './openapi.js';
import { isOpenToBrowsers, openToBrowsers } from './open-to-browsers.js';
import { sendProblem, toColophonError } from './problem.filter.js';
import { acceptRawFiles } from './raw-file.js';
import { limitBodies } from './body-limit.js';
import { keepRouteTable } from './route-table.js';
import { parseStrictJson } from './strict-json.js';

/** JSON bodies. Files come as multipart, with their own limit. */
const MAX_JSON_BYTES = 1024 * 1024;
/** Throws where the usual decoder would put U+FFFD: what is stored and signed is what was sent, or nothing. */
const STRICT_UTF8 = new TextDecoder('utf-8', { fatal: true });

/** Fastify under Nest, with limits, security headers and the raw body that webhook signatures are over. */
export async function createApplication(
  module: DynamicModule,
  configuration: Configuration,
  metrics: Metrics,
): Promise<NestFastifyApplication> {
  const adapter = new FastifyAdapter({
    bodyLimit: MAX_JSON_BYTES,
    // Ours, never the client's: a request id from outside could forge log lines.
    genReqId: () => randomUUID(),
    requestTimeout: 120_000,
    routerOptions: { maxParamLength: 300 },
    return503OnClosing: true,
    // An address that cannot be decoded never reaches a route, so the filter never sees it.
    frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply) => {
      sendProblem(reply, toColophonError(error), request.id);
    },
    forceCloseConnections: true,
  });
  const app: NestFastifyApplication = await NestFactory.create(module, adapter, {
    logger: ['error', 'warn'],
    bodyParser: false,
    abortOnError: false,
  });
  const fastify: FastifyInstance = adapter.getInstance();
  noticeFurtherRequests(fastify.server);
  keepRouteTable(fastify);
  limitBodies(fastify);
  acceptJson(fastify);
  acceptRawFiles(fastify);
  await app.register(multipart, { attachFieldsToBody: false });
  await app.register(rateLimit, {
    global: true,
    timeWindow: '1 minute',
    max: (request: FastifyRequest) => {
      const bucket = publicBucketOf(request);
      if (bucket === undefined) return configuration.requestsPerMinute;
      return bucket === 'sbr'
        ? configuration.recovery.requestsPerMinute
        : configuration.verificationsPerMinute;
    },
    keyGenerator: callerOf,
    skipOnError: false,
  });
  openToBrowsers(fastify);
  addHooks(fastify, metrics);
  installApiDocumentation(app);
  return app;
}

interface RawBodyRequest extends FastifyRequest {
  rawBody?: Buffer;
}

function acceptJson(fastify: FastifyInstance): void {
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body: Buffer, done) => {
    (request as RawBodyRequest).rawBody = body;
    if (body.length === 0) return done(null, undefined);
    try {
      done(null, parseStrictJson(STRICT_UTF8.decode(body)));
    } catch (error) {
      done(
        error instanceof ColophonError
          ? error
          : new ColophonError('invalid_json', 'The body is not JSON.', { cause: error }),
      );
    }
  });
}

/** By key where one is presented (hashed: it is a secret), by address otherwise. */
function callerOf(request: FastifyRequest): string {
  const { headers } = request;
  // Where no key is needed the address counts: whoever guesses, or wants more, sends another header each time.
  const bucket = publicBucketOf(request);
  if (bucket !== undefined) return `${bucket} ${request.ip}`;
  // The vendors' SDKs send it in different headers.
  const key = headers.authorization ?? headers['x-goog-api-key'] ?? headers['x-api-key'];
  return typeof key === 'string' ? sha256Hex(key) : request.ip;
}

/** Public work is counted by itself. Told by the route that answers: an address can be written in many ways. */
function publicBucketOf({
  routeOptions: { url = '' },
}: FastifyRequest): 'verify' | 'shared' | 'sbr' | undefined {
  if (url.startsWith('/v1/verify')) return 'verify';
  if (url.startsWith('/v1/shared')) return 'shared';
  return isOpenToBrowsers(url) ? 'sbr' : undefined;
}

/** PostgreSQL cannot store it, so nothing here has it in its name, and a question that holds it would fail there. */
function refuseNul({ url }: FastifyRequest): void {
  const at = url.indexOf('%00');
  if (at < 0) return;
  const isInQuery = url.lastIndexOf('?', at) >= 0;
  if (isInQuery) throw new ColophonError('invalid_request', 'The query holds NUL (%00).');
  throw new ColophonError('not_found', 'The address holds NUL (%00), which nothing here has in its name.');
}

function addHooks(fastify: FastifyInstance, metrics: Metrics): void {
  fastify.addHook('preValidation', (request, _reply, done) => {
    refuseNul(request);
    refuseUnexpectedForm(request);
    done();
  });
  fastify.addHook('onSend', (request, reply, _payload, done) => {
    void reply.headers({
      // By which an operator finds the call; the SDK of OpenAI shows it to its user.
      'x-request-id': request.id,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-resource-policy': isOpenToBrowsers(request.url) ? 'cross-origin' : 'same-origin',
      'x-frame-options': 'DENY',
    });
    done();
  });
  fastify.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'unknown';
    metrics.requestSeconds.observe(
      { method: request.method, route, status: String(reply.statusCode) },
      reply.elapsedTime / 1000,
    );
    if (reply.statusCode >= 400) metrics.refusals.inc({ status: String(reply.statusCode) });
    done();
  });
}
