import { type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type Socket } from 'node:net';
import { hasUnacknowledged } from './unacknowledged.js';

/**
 * - `arrived`: the client sent something else on the same connection, or ended it properly;
 * - `quiet`: nothing speaks against it: the other side has acknowledged all of it and is still there. `lost` may follow;
 * - `lost`: the connection broke before or after the last byte left, or the last bytes are never acknowledged;
 * - `unknown`: this side ended the connection.
 */
export type Arrival = 'arrived' | 'quiet' | 'lost' | 'unknown';

export interface ArrivalTimes {
  /** A side that is gone answers a probe (after one second of silence) with a reset. */
  readonly quietMs: number;
  /** How long a reset still counts: a client may end while it reads. */
  readonly lateMs: number;
}

const TIMES: ArrivalTimes = { quietMs: 1_500, lateMs: 30_000 };
const PROBE_AFTER_MS = 1_000;

/** By connection: what a further request on it says about the answer before. */
const awaiting = new WeakMap<Socket, () => void>();

/** Before any request of the server: a further one on a connection shows that the answer before was read. */
export function noticeFurtherRequests(server: Server): void {
  server.prependListener('request', ({ socket }: IncomingMessage) => awaiting.get(socket)?.());
}

/**
 * Tells whether an answer reached the other end of its connection. That the kernel took the bytes (`finish`) says
 * nothing: they may be on their way when the connection breaks. Must be called before the last byte is written.
 */
export function whenArrivalShows(
  raw: ServerResponse,
  shows: (arrival: Arrival) => void,
  times: ArrivalTimes = TIMES,
): void {
  const { socket } = raw.req;
  if (raw.closed || socket.destroyed) return shows('lost');
  const stopLingering = lingerAtEnd(socket);
  raw.once('close', () => {
    if (raw.writableFinished) return new Watch(socket, times, shows, stopLingering).begin();
    stopLingering();
    shows('lost');
  });
}

/** Of a connection on which the last byte of an answer has left. */
class Watch {
  private readonly startedAt = performance.now();
  private timer: NodeJS.Timeout | undefined;
  private isOver = false;

  constructor(
    private readonly socket: Socket,
    private readonly times: ArrivalTimes,
    private readonly shows: (arrival: Arrival) => void,
    private readonly stopLingering: () => void,
  ) {}

  begin(): void {
    if (this.socket.closed) return this.end(this.arrivalAtClose());
    this.socket.once('close', this.closed);
    awaiting.set(this.socket, () => this.end('arrived'));
    this.socket.setKeepAlive(true, PROBE_AFTER_MS);
    this.timer = setTimeout(() => void this.listen(), this.times.quietMs).unref();
  }

  private readonly closed = (): void => this.end(this.arrivalAtClose());

  private arrivalAtClose(): Arrival {
    if (this.socket.errored) return 'lost';
    return this.socket.readableEnded ? 'arrived' : 'unknown';
  }

  private async listen(): Promise<void> {
    const isOutstanding = await hasUnacknowledged(this.socket);
    if (this.isOver) return;
    const leftMs = this.times.lateMs - (performance.now() - this.startedAt);
    if (isOutstanding && leftMs <= 0) return this.end('lost');
    if (isOutstanding) {
      this.timer = setTimeout(() => void this.listen(), this.times.quietMs).unref();
      return;
    }
    this.socket.setKeepAlive(false);
    this.shows('quiet');
    this.timer = setTimeout(() => this.end(undefined), leftMs).unref();
  }

  private end(arrival: Arrival | undefined): void {
    if (this.isOver) return;
    this.isOver = true;
    clearTimeout(this.timer);
    awaiting.delete(this.socket);
    this.socket.off('close', this.closed);
    this.socket.setKeepAlive(false);
    this.stopLingering();
    // What lingers has waited long enough for the other side to end it.
    if (this.socket.writableEnded) this.socket.destroy();
    if (arrival !== undefined) this.shows(arrival);
  }
}

/**
 * After an answer with `Connection: close` Node closes the connection at once and never learns whether the other side
 * resets it. Only our half is closed instead, and the other side closes the other (a lingering close). What it still
 * sends is not read as a request (RFC 9112, section 9.6). @returns undoes it
 */
function lingerAtEnd(socket: Socket): () => void {
  socket.destroySoon = () => {
    // The first listener takes the connection from the parser of requests, the second lets the end be seen.
    socket.on('data', () => undefined);
    socket.removeAllListeners('data');
    socket.on('data', () => undefined);
    socket.resume();
    socket.end();
  };
  return () => {
    Reflect.deleteProperty(socket, 'destroySoon');
  };
}
