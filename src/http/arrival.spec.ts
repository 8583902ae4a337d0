import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from '../../test/support/eventually.js';
import { type Arrival, type ArrivalTimes, noticeFurtherRequests, whenArrivalShows } from './arrival.js';

/** Longer than a loaded machine may take for anything: nothing is taken for arrived by itself. */
const TIMES = { quietMs: 600_000, lateMs: 600_000 };
const SOON_QUIET = { quietMs: 100, lateMs: 600_000 };
const SOON_OVER = { quietMs: 100, lateMs: 200 };
const ANSWER = 'x'.repeat(1000);

let server: Server;
let arrivals: Arrival[][];
let requests: number;
let times: ArrivalTimes;
/** Of the connections, those whose end the service has seen. */
let ended: Set<number>;
let sockets: Socket[];

beforeEach(async () => {
  [arrivals, requests, sockets, times, ended] = [[], 0, [], TIMES, new Set()];
  server = createServer((request, response) => {
    requests++;
    request.resume();
    const shown: Arrival[] = [];
    arrivals.push(shown);
    whenArrivalShows(response, (arrival) => shown.push(arrival), times);
    response.end(ANSWER);
  });
  server.on('connection', (socket: Socket) => {
    const { remotePort = 0 } = socket;
    socket.once('close', () => ended.add(remotePort));
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

/** What one connection says of its answer, as soon as it says so much. */
const says = (shown: readonly Arrival[], count = 1): Promise<readonly Arrival[]> =>
  eventually('the arrival shows', () => (shown.length >= count ? shown : undefined));

/** @returns where it will show what became of the answer that was read on a new connection */
async function answered(headers = ''): Promise<{ socket: Socket; shown: readonly Arrival[] }> {
  const socket = open();
  socket.write(request(headers));
  await readAnswer(socket);
  return { socket, shown: arrivals.at(-1) ?? [] };
}

describe.each([
  ['a connection that is kept', ''],
  ['a connection that ends with the answer', 'connection: close\r\n'],
])('the answer on %s', (_, headers) => {
  it('has arrived when the client ends it properly', async () => {
    const { socket, shown } = await answered(headers);
    socket.end();
    expect(await says(shown)).toEqual(['arrived']);
  });

  it('is lost when the connection is reset', async () => {
    const { socket, shown } = await answered(headers);
    socket.resetAndDestroy();
    expect(await says(shown)).toEqual(['lost']);
  });

  it('is taken for arrived after a while without a sign, and for lost when a reset comes late', async () => {
    times = SOON_QUIET;
    const { socket, shown } = await answered(headers);
    expect(await says(shown)).toEqual(['quiet']);
    socket.resetAndDestroy();
    expect(await says(shown, 2)).toEqual(['quiet', 'lost']);
  });
});

it('an answer of which nothing is heard stays arrived, whatever becomes of the connection afterwards', async () => {
  times = SOON_OVER;
  const { socket, shown } = await answered();
  await says(shown);
  // A timer that was set later and for longer than that of the watch fires after it.
  await new Promise((over) => setTimeout(over, 2 * SOON_OVER.lateMs));
  const { localPort = 0 } = socket;
  socket.resetAndDestroy();
  await eventually('the end is seen', () => ended.has(localPort) || undefined);
  expect(shown).toEqual(['quiet']);
});

describe('a further request', () => {
  it('on the same connection shows that the answer before was read', async () => {
    const { socket, shown } = await answered();
    socket.write(request());
    expect(await says(shown)).toEqual(['arrived']);
  });

  it('on another connection shows nothing', async () => {
    const { socket, shown } = await answered();
    await answered();
    socket.resetAndDestroy();
    expect(await says(shown)).toEqual(['lost']);
  });

  it('that was sent before the answer shows nothing', async () => {
    const socket = open();
    socket.write(request() + request());
    await eventually('both are answered', () => requests === 2 || undefined);
    await readAnswer(socket);
    socket.resetAndDestroy();
    for (const shown of arrivals) expect(await says(shown)).toEqual(['lost']);
    expect(arrivals).toHaveLength(2);
  });

  it('after an answer that ends the connection is not taken', async () => {
    const { socket, shown } = await answered('connection: close\r\n');
    socket.write(request());
    socket.end();
    expect(await says(shown)).toEqual(['arrived']);
    expect(requests).toBe(1);
  });
});

describe('a connection', () => {
  it('that broke before the answer was written loses it', async () => {
    const socket = open();
    const { localPort = 0 } = await connected(socket);
    server.removeAllListeners('request');
    const lost = new Promise<Arrival>((shows) => {
      server.on('request', (_, response) => {
        whenArrivalShows(response, shows, TIMES);
        socket.resetAndDestroy();
        void eventually('the end is seen', () => ended.has(localPort) || undefined).then(() =>
          response.end(ANSWER),
        );
      });
    });
    socket.write(request());
    expect(await lost).toBe('lost');
  });

  it('that this side ends says nothing', async () => {
    const { shown } = await answered();
    server.closeAllConnections();
    expect(await says(shown)).toEqual(['unknown']);
  });

  it('that ends with the answer is not kept for ever', async () => {
    times = SOON_OVER;
    const { socket } = await answered('connection: close\r\n');
    const { localPort = 0 } = socket;
    await eventually('it is ended', () => ended.has(localPort) || undefined);
  });

  it('whose other side takes nothing more has not had the answer', async () => {
    // More than the buffers of both sides hold, to a client that does not read: what is left stays in ours.
    const socket = open();
    server.removeAllListeners('request');
    const shown: Arrival[] = [];
    server.on('request', (_, response) => {
      whenArrivalShows(response, (arrival) => shown.push(arrival), SOON_QUIET);
      response.end(Buffer.alloc(32 * 1024 * 1024));
    });
    socket.pause();
    socket.write(request());
    await new Promise((over) => setTimeout(over, 4 * SOON_QUIET.quietMs));
    expect(shown).toEqual([]);
    socket.resetAndDestroy();
    expect(await says(shown)).toEqual(['lost']);
  });
});

async function connected(socket: Socket): Promise<Socket> {
  await eventually('it is connected', () => socket.localPort !== undefined || undefined);
  return socket;
}
