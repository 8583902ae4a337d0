import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import {
  type AddressInfo,
  createServer as createTcpServer,
  type Server as TcpServer,
  type Socket,
} from 'node:net';
import { createServer as createTlsServer } from 'node:https';
import { Readable } from 'node:stream';
import { webcrypto } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import 'reflect-metadata';
import { afterEach, describe, expect, it } from '@jest/globals';
import { X509CertificateGenerator } from '@peculiar/x509';
import { guardedFetch, type OutboundRequest } from './guarded-fetch.js';
import { OutboundError } from './outbound-error.js';
import { type AddressResolver } from './resolve-name.js';
import { readBody } from './response-limits.js';

interface Listening {
  readonly hostPort: string;
  readonly port: number;
  connections(): number;
}

const cleanUps: (() => void)[] = [];
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0)) cleanUp();
});

async function listen(server: Server | TcpServer): Promise<Listening> {
  const sockets = new Set<Socket>();
  let connections = 0;
  server.on('connection', (socket: Socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanUps.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { hostPort: `127.0.0.1:${port}`, port, connections: () => connections };
}

const serve = (listener: RequestListener): Promise<Listening> => listen(createServer(listener));
const serveRaw = (onConnection: (socket: Socket) => void): Promise<Listening> =>
  listen(createTcpServer(onConnection));

function requestTo(server: Listening, extra: Partial<OutboundRequest> = {}): OutboundRequest {
  const allowedPrivateHosts = [server.hostPort];
  return {
    url: `http://${server.hostPort}/`,
    allowedPrivateHosts,
    maxResponseBytes: 1000,
    deadlineMs: 5000,
    ...extra,
  };
}

async function fetchAll(
  request: OutboundRequest,
): Promise<{ status: number; text: string; headers: Headers }> {
  const response = await guardedFetch(request);
  return {
    status: response.status,
    headers: response.headers,
    text: (await readBody(response.body)).toString(),
  };
}

async function failure(request: OutboundRequest): Promise<OutboundError> {
  const error: unknown = await fetchAll(request).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof OutboundError)) throw new Error(`expected an OutboundError, got ${String(error)}`);
  return error;
}

const resolveTo =
  (...addresses: string[]): AddressResolver =>
  () =>
    Promise.resolve(addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })));

async function selfSignedCertificate(): Promise<{ key: string; cert: string }> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: 'CN=127.0.0.1',
    keys,
    signingAlgorithm: algorithm,
  });
  const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  const key = `-----BEGIN PRIVATE KEY-----\n${Buffer.from(pkcs8).toString('base64')}\n-----END PRIVATE KEY-----\n`;
  return { key, cert: certificate.toString('pem') };
}

describe('guardedFetch: addresses', () => {
  it('opens no connection to an address that is not public, by name or by number', async () => {
    const server = await serve((_request, response) => response.end('secret'));
    const blocked = [
      `http://127.0.0.1:${server.port}/`,
      `https://127.0.0.1:${server.port}/`,
      `https://localhost:${server.port}/`,
      'https://localhost/',
      'https://169.254.169.254/',
    ];
    for (const url of blocked) {
      const error = await failure({ url, maxResponseBytes: 1000, deadlineMs: 2000 });
      expect([url, error.code, error.mayHaveBeenSent]).toEqual([url, 'url_blocked', false]);
    }
    expect(server.connections()).toBe(0);
  });

  it.each([
    '127.0.0.1',
    '10.0.0.1',
    '169.254.169.254',
    '::1',
    '::ffff:127.0.0.1',
    '64:ff9b::7f00:1',
    'fd00::1',
  ])('refuses a public name that resolves to %s', async (address) => {
    const url = 'https://images.example/';
    const error = await failure({ url, resolver: resolveTo(address), maxResponseBytes: 1, deadlineMs: 2000 });
    expect([error.code, error.mayHaveBeenSent]).toEqual(['url_blocked', false]);
  });

  it('resolves once and connects to the address it checked, so rebinding has no second answer to give', async () => {
    const server = await serve((_request, response) => response.end('ok'));
    let calls = 0;
    const rebinding: AddressResolver = () => {
      calls += 1;
      return Promise.resolve([{ address: calls === 1 ? '127.0.0.1' : '169.254.169.254', family: 4 }]);
    };
    const name = `media.internal:${server.port}`;
    const request = requestTo(server, {
      url: `http://${name}/`,
      allowedPrivateHosts: [name],
      resolver: rebinding,
    });
    expect((await fetchAll(request)).text).toBe('ok');
    expect(calls).toBe(1);
    expect((await failure(request)).code).toBe('url_blocked');
    expect(server.connections()).toBe(1);
  });

  it('uses only the allowed ones among several addresses', async () => {
    const server = await serve((_request, response) => response.end('ok'));
    const name = `media.internal:${server.port}`;
    const resolver = resolveTo('169.254.169.254', '::ffff:10.0.0.1', '127.0.0.1');
    const request = requestTo(server, { url: `http://${name}/`, allowedPrivateHosts: [name], resolver });
    expect((await fetchAll(request)).text).toBe('ok');
  });

  it.each([301, 302, 303, 307, 308])('does not follow a %d', async (status) => {
    const target = await serve((_request, response) => response.end('internal'));
    const server = await serve((_request, response) => {
      response.writeHead(status, { location: `http://${target.hostPort}/` }).end();
    });
    const both = [server.hostPort, target.hostPort];
    expect((await failure(requestTo(server, { allowedPrivateHosts: both }))).code).toBe('url_blocked');
    expect(target.connections()).toBe(0);
  });

  it('refuses a server without a trusted certificate, and knows that nothing was sent', async () => {
    const server = await serveRaw((socket) => socket.end('not TLS'));
    const error = await failure(requestTo(server, { url: `https://${server.hostPort}/` }));
    expect([error.code, error.mayHaveBeenSent]).toEqual(['upstream_error', false]);
    const seen: string[] = [];
    const selfSigned = await listen(
      createTlsServer(await selfSignedCertificate(), (request, response) => {
        seen.push(request.url ?? '');
        response.end();
      }),
    );
    const untrusted = await failure(requestTo(selfSigned, { url: `https://${selfSigned.hostPort}/` }));
    expect([untrusted.code, untrusted.mayHaveBeenSent, seen]).toEqual(['upstream_error', false, []]);
  });

  it('knows that nothing was sent when the connection is refused or the name unknown', async () => {
    const server = await serve(() => undefined);
    cleanUps.splice(0).forEach((cleanUp) => cleanUp());
    const refused = await failure(requestTo(server));
    expect([refused.code, refused.mayHaveBeenSent]).toEqual(['upstream_error', false]);
    const resolver: AddressResolver = () => Promise.reject(new Error('ENOTFOUND'));
    const unknown = await failure({
      url: 'https://nowhere.example/',
      resolver,
      maxResponseBytes: 1,
      deadlineMs: 2000,
    });
    expect([unknown.code, unknown.mayHaveBeenSent]).toEqual(['upstream_error', false]);
  });
});

describe('guardedFetch: hostile answers', () => {
  it('sends method, headers and body, and returns any status with its body', async () => {
    const server = await serve((request: IncomingMessage, response) => {
      void readBody(request).then((body) => {
        response.writeHead(418, { 'x-seen': `${request.method} ${String(request.headers['x-a'])}` });
        response.end(`got ${body.toString()}`);
      });
    });
    const upload = {
      method: 'PUT',
      headers: { 'x-a': '1' },
      body: Readable.from([Buffer.from('abc')]),
    } as const;
    const answer = await fetchAll(requestTo(server, upload));
    expect([answer.status, answer.headers.get('x-seen'), answer.text]).toEqual([418, 'PUT 1', 'got abc']);
  });

  it('breaks off an endless body at the limit', async () => {
    const server = await serve((_request, response) => {
      const chunk = Buffer.alloc(64 * 1024);
      const pump = (): void => {
        while (!response.destroyed && response.write(chunk));
      };
      response.on('drain', pump);
      pump();
    });
    const error = await failure(requestTo(server, { maxResponseBytes: 1_000_000 }));
    expect([error.code, error.mayHaveBeenSent]).toEqual(['upstream_invalid', true]);
  });

  it.each([
    ['informational answers', '', 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'],
    ['extensions of a chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;', 'a=b;'],
  ])('breaks off %s without end, of which no byte is body', async (_, start, piece) => {
    const flood = Buffer.from(piece.repeat(4096));
    const server = await serveRaw((socket) => {
      socket.write(start);
      const pump = (): boolean => socket.writable && socket.write(flood, () => setImmediate(pump));
      socket.once('data', pump);
    });
    const error = await failure(requestTo(server, { deadlineMs: 600_000 }));
    expect(error.code).toBe('upstream_invalid');
  });

  it('takes no answer for whole whose connection failed before its length was known', async () => {
    const server = await serveRaw((socket) =>
      socket.once('data', () =>
        socket.write('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhalf', () => socket.resetAndDestroy()),
      ),
    );
    const error = await failure(requestTo(server));
    expect([error.code, error.mayHaveBeenSent]).toEqual(['upstream_invalid', true]);
  });

  it('refuses an announced size over the limit without reading it', async () => {
    const server = await serve((_request, response) => {
      response.writeHead(200, { 'content-length': '10000000000' });
      response.flushHeaders();
    });
    expect((await failure(requestTo(server))).message).toContain('larger than 1000 bytes');
  });

  it('accepts exactly the limit and refuses one byte more', async () => {
    const server = await serve((request, response) =>
      response.end('x'.repeat(Number(request.url?.slice(1)))),
    );
    const url = `http://${server.hostPort}`;
    expect((await fetchAll(requestTo(server, { url: `${url}/1000` }))).text).toHaveLength(1000);
    expect((await failure(requestTo(server, { url: `${url}/1001` }))).code).toBe('upstream_invalid');
  });

  it.each([
    ['fewer bytes than announced', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort'],
    ['a chunked body without end', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n'],
    ['a broken chunk size', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nshort\r\n'],
  ])('reports %s as an unusable answer', async (_name, wire) => {
    const server = await serveRaw((socket) => socket.once('data', () => socket.end(wire)));
    const error = await failure(requestTo(server));
    expect([error.code, error.mayHaveBeenSent]).toEqual(['upstream_invalid', true]);
  });

  it('hands over no byte beyond the announced length', async () => {
    const wire = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokINJECTED';
    const server = await serveRaw((socket) => socket.once('data', () => socket.end(wire)));
    const text = await fetchAll(requestTo(server)).then(
      (answer) => answer.text,
      () => 'refused',
    );
    expect(['ok', 'refused']).toContain(text);
  });

  it('never decompresses: a compressed answer is refused', async () => {
    const bomb = gzipSync(Buffer.alloc(1_000_000));
    const seen: (string | undefined)[] = [];
    const server = await serve((request, response) => {
      seen.push(request.headers['accept-encoding']);
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb);
    });
    const headers = { 'accept-encoding': 'gzip' };
    expect((await failure(requestTo(server, { maxResponseBytes: 10_000, headers }))).code).toBe(
      'upstream_invalid',
    );
    expect(seen).toEqual(['identity']);
  });

  it.each([
    ['never answers', '', ''],
    ['never ends its headers', 'HTTP/1.1 200 OK\r\nX-A: ', 'a'],
    ['never ends its body', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n', 'a'],
    ['never ends its chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', '1\r\na\r\n'],
  ])(
    'stops waiting for a server that %s, however it trickles: the limit is total',
    async (_name, first, more) => {
      const server = await serveRaw((socket) => {
        socket.once('data', () => {
          socket.write(first);
          const trickle = setInterval(() => socket.write(more), 20);
          socket.on('close', () => clearInterval(trickle));
        });
      });
      const error = await failure(requestTo(server, { deadlineMs: 250 }));
      expect([error.code, error.mayHaveBeenSent]).toEqual(['upstream_timeout', true]);
    },
  );

  it('covers the name resolution by the time limit, too', async () => {
    const resolver: AddressResolver = () => new Promise(() => undefined);
    const error = await failure({
      url: 'https://slow.example/',
      resolver,
      maxResponseBytes: 1,
      deadlineMs: 50,
    });
    expect([error.code, error.mayHaveBeenSent]).toEqual(['upstream_timeout', false]);
    const controller = new AbortController();
    const asked: AddressResolver = () => {
      controller.abort();
      return new Promise(() => undefined);
    };
    const { signal } = controller;
    const request = {
      url: 'https://slow.example/',
      resolver: asked,
      signal,
      maxResponseBytes: 1,
      deadlineMs: 60_000,
    };
    expect((await failure(request)).mayHaveBeenSent).toBe(false);
  });

  it('refuses excessive headers', async () => {
    const server = await serveRaw((socket) => {
      socket.once('data', () => socket.write(`HTTP/1.1 200 OK\r\nX-A: ${'a'.repeat(100_000)}\r\n\r\n`));
    });
    expect((await failure(requestTo(server))).code).toBe('upstream_error');
  });

  it('reports a connection that is reset after the request as possibly sent', async () => {
    const server = await serveRaw((socket) => socket.once('data', () => socket.resetAndDestroy()));
    const error = await failure(requestTo(server, { method: 'POST', body: '{}' }));
    expect([error.code, error.mayHaveBeenSent]).toEqual(['upstream_error', true]);
    expect(server.connections()).toBe(1);
  });

  it('stops when the caller cancels, before and after sending', async () => {
    const server = await serve(() => undefined);
    const early = await failure(requestTo(server, { signal: AbortSignal.abort() }));
    expect([early.code, early.mayHaveBeenSent, server.connections()]).toEqual(['upstream_timeout', false, 0]);
    const controller = new AbortController();
    const slow = await serve(() => controller.abort());
    const late = await failure(requestTo(slow, { signal: controller.signal }));
    expect([late.code, late.mayHaveBeenSent]).toEqual(['upstream_timeout', true]);
  });

  it('closes the connection when the reader stops early', async () => {
    let closed: () => void = () => undefined;
    const serverSawClose = new Promise<void>((resolve) => (closed = resolve));
    const server = await serve((_request, response) => {
      response.on('close', closed);
      response.write('first');
    });
    const response = await guardedFetch(requestTo(server));
    for await (const chunk of response.body) {
      expect(Buffer.from(chunk).toString()).toBe('first');
      break;
    }
    await serverSawClose;
  });
});
