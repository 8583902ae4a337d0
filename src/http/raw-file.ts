import { type FastifyInstance, type FastifyRequest } from 'fastify';
import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type AssetStore } from '../assets/domain/asset-store.port.js';
import { ColophonError } from '../shared/errors.js';
import { addRouteConfig } from './route-config.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether the route takes a file as its body. Set by {@link RawFileRoute} only. */
    takesRawFile?: boolean;
  }
}

/** Whatever may be a media file. What the bytes are is found out by looking at them. */
const FILE_TYPES = /^(?:image|audio|video|model|text)\/|^application\/(?!json\b|.*\+json\b)/;

/** A route whose body is a file of a media type, as it is. */
export const RawFileRoute = (): MethodDecorator => addRouteConfig(() => ({ takesRawFile: true }));

/** The parser stands for all routes alike; those that take no file refuse it as if there were none. */
export function acceptRawFiles(fastify: FastifyInstance): void {
  fastify.addContentTypeParser(FILE_TYPES, (request, payload, done) => {
    if (!request.is404 && request.routeOptions.config.takesRawFile === true) return done(null, payload);
    done(new ColophonError('unsupported_content_type', 'This route does not accept the content type.'));
  });
  // Parts of a file come without a type: what they are together is found out by looking at the whole.
  fastify.addContentTypeParser('*', (request, payload, done) => {
    const isUntyped = request.headers['content-type'] === undefined;
    if (request.is404) return done(null, undefined);
    if (isUntyped && request.routeOptions.config.takesRawFile === true) return done(null, payload);
    done(new ColophonError('unsupported_content_type', 'This route does not accept the content type.'));
  });
}

/**
 * Writes the body to the store's staging area and removes it again when `work` is done or anything fails.
 * @throws ColophonError `unsupported_content_type` when the body is no file, `payload_too_large`, `invalid_request`
 *   for an empty one
 */
export async function withRawFile<Result>(
  request: FastifyRequest,
  store: AssetStore,
  maxBytes: number,
  work: (path: string) => Promise<Result>,
): Promise<Result> {
  const { body } = request;
  if (!(body instanceof Readable))
    throw new ColophonError('unsupported_content_type', 'Send the file as body, with its media type.');
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes);
  const path = await store.stage();
  try {
    const sizeBytes = await writeBounded(body, path, maxBytes);
    if (sizeBytes === 0) throw new ColophonError('invalid_request', 'The request: the body is empty.');
    return await work(path);
  } finally {
    await store.discard(path);
  }
}

async function writeBounded(body: Readable, path: string, maxBytes: number): Promise<number> {
  let sizeBytes = 0;
  async function* bounded(): AsyncGenerator<Buffer> {
    for await (const chunk of body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      sizeBytes += chunk.length;
      if (sizeBytes > maxBytes) throw tooLarge(maxBytes);
      yield chunk;
    }
  }
  try {
    await pipeline(bounded, createWriteStream(path, { mode: 0o600 }));
  } finally {
    // The rest of a refused body is read and thrown away: with the connection, the sender would lose the answer.
    body.resume();
  }
  return sizeBytes;
}

function tooLarge(maxBytes: number): ColophonError {
  return new ColophonError('payload_too_large', `A file may have at most ${String(maxBytes)} bytes.`);
}
