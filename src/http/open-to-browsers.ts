import { type FastifyInstance, type FastifyReply } from 'fastify';

/** The C2PA Soft Binding Resolution API: read by verifiers in browsers, on pages of any origin. */
const OPEN_PATHS = /^\/(?:sbr\/|\.well-known\/c2pa-soft-binding-resolution(?:$|\?))/;

export function isOpenToBrowsers(url: string): boolean {
  return OPEN_PATHS.test(url);
}

/**
 * CORS for these paths alone: any origin may read, nobody may send credentials or a key. A key in a browser would be a
 * key in the hands of every page.
 */
export function openToBrowsers(fastify: FastifyInstance): void {
  fastify.addHook('onRequest', (request, reply, done) => {
    if (!isOpenToBrowsers(request.url)) return done();
    void reply.header('access-control-allow-origin', '*');
    if (request.method !== 'OPTIONS') return done();
    sendPreflight(reply);
  });
}

function sendPreflight(reply: FastifyReply): void {
  void reply
    .status(204)
    .headers({
      'access-control-allow-methods': 'GET, HEAD, POST',
      'access-control-allow-headers': 'content-type',
      'access-control-max-age': '86400',
    })
    .send();
}
