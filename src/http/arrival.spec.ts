import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Arrival, noticeFurtherRequests, whenArrivalShows } from './arrival.js';

const TIMES = { quietMs: 200, lateMs: 600 };
const ANSWER = 'x'.repeat(1000);

let server: Server;
let arrivals: Arrival[][];
let requests: number;
let sockets: Socket[];

beforeEach(async () => {
  [arrivals, requests, sockets] = [[], 0, []];
  server = createServer((request, response) => {
    requests++;
    request.resume();
    const shown: Arrival[] = [];
    arrivals.push(shown);
    whenArrivalShows(response, (arrival) => shown.push(arrival), TIMES);
    response.end(ANSWER);
  });
  noticeFurtherRequests(server);
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
});
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  server.closeAllConnections();
  await new Promise((closed) => server.close(closed));
});

const request = (headers = ''): string => `POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n${headers}\r\n`;

function open(): Socket {
  const socket = connect({
    port: (server.address() as AddressInfo).port,
    host: '127.0.0.1',
    allowHalfOpen: true,
  });
  socket.on('error', () => undefined);
  sockets.push(socket);
  return socket;
}

async function readAnswer(socket: Socket): Promise<void> {
  let read = '';
  for await (const piece of socket.iterator({ destroyOnReturn: false })) {
    read += String(piece);
    if (read.includes('\r\n\r\n') && read.split('\r\n\r\n')[1]?.includes(ANSWER)) return;
  }
}

const pause = (ms: number) => new Promise<void>((over) => setTimeout(over, ms));

/** What one connection says at last, `after` its answer was read. */
async function afterAnswer(headers: string, after: (socket: Socket) => unknown): Promise<readonly Arrival[]> {
  const socket = open();
  socket.write(request(headers));
  await readAnswer(socket);
  const shown = arrivals.at(-1) ?? [];
  await after(socket);
  return shown;
}

describe.each([
  ['a connection that is kept', ''],
  ['a connection that ends with the answer', 'connection: close\r\n'],
])('the answer on %s', (_, headers) => {
  it('has arrived when the client ends it properly', async () => {
    const shown = await afterAnswer(headers, (socket) => {
      socket.end();
      return pause(50);
    });
    expect(shown).toEqual(['arrived']);
  });

  it('is lost when the connection is reset', async () => {
    const shown = await afterAnswer(headers, (socket) => {
      socket.resetAndDestroy();
      return pause(50);
    });
    expect(shown).toEqual(['lost']);
  });

  it('is taken for arrived after a while without a sign, and for lost when a reset comes late', async () => {
    const shown = await afterAnswer(headers, async (socket) => {
      await pause(TIMES.quietMs + 100);
      socket.resetAndDestroy();
      await pause(50);
    });
    expect(shown).toEqual(['quiet', 'lost']);
  });

  it('stays arrived when nothing is heard', async () => {
    const shown = await afterAnswer(headers, async (socket) => {
      await pause(TIMES.lateMs + 100);
      socket.resetAndDestroy();
      await pause(50);
    });
    expect(shown).toEqual(['quiet']);
  });
});

describe('a further request', () => {
  it('on the same connection shows that the answer before was read', async () => {
    const shown = await afterAnswer('', (socket) => {
      socket.write(request());
      return pause(50);
    });
    expect(shown).toEqual(['arrived']);
  });

  it('on another connection shows nothing', async () => {
    const shown = await afterAnswer('', async (socket) => {
      await afterAnswer('', () => undefined);
      socket.resetAndDestroy();
      await pause(50);
    });
    expect(shown).toEqual(['lost']);
  });

  it('that was sent before the answer shows nothing', async () => {
    const socket = open();
    socket.write(request() + request());
    await readAnswer(socket);
    socket.resetAndDestroy();
    await pause(50);
    expect(arrivals).toEqual([['lost'], ['lost']]);
  });

  it('after an answer that ends the connection is not taken', async () => {
    const shown = await afterAnswer('connection: close\r\n', async (socket) => {
      socket.write(request());
      await pause(50);
      socket.end();
      await pause(50);
    });
    expect([shown, requests]).toEqual([['arrived'], 1]);
  });
});

describe('a connection', () => {
  it('that broke before the answer was written loses it', async () => {
    const socket = open();
    server.removeAllListeners('request');
    const lost = new Promise<Arrival>((shows) => {
      server.on('request', (_, response) => {
        whenArrivalShows(response, shows, TIMES);
        socket.resetAndDestroy();
        setTimeout(() => response.end(ANSWER), 50);
      });
    });
    socket.write(request());
    expect(await lost).toBe('lost');
  });

  it('that this side ends says nothing', async () => {
    const shown = await afterAnswer('', () => {
      server.closeAllConnections();
      return pause(50);
    });
    expect(shown).toEqual(['unknown']);
  });

  it('that ends with the answer is not kept for ever', async () => {
    const closed = new Promise<void>((done) =>
      server.once('connection', (at: Socket) => at.once('close', done)),
    );
    await afterAnswer('connection: close\r\n', () => undefined);
    await closed;
  });

  it('whose other side takes nothing more has not had the answer', async () => {
    // More than the buffers of both sides hold, to a client that does not read: what is left stays in ours.
    const socket = open();
    server.removeAllListeners('request');
    const shown: Arrival[] = [];
    server.on('request', (_, response) => {
      whenArrivalShows(response, (arrival) => shown.push(arrival), TIMES);
      response.end(Buffer.alloc(32 * 1024 * 1024));
    });
    socket.pause();
    socket.write(request());
    await pause(TIMES.quietMs * 2);
    expect(shown).toEqual([]);
    socket.resetAndDestroy();
    await pause(50);
    expect(shown).toEqual(['lost']);
  });
});
