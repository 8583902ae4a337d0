import { type Socket } from 'node:net';
import { tooLarge } from './response-limits.js';

/** For what stands beside a body: status lines, headers, chunk sizes, trailers, and the records of TLS. */
const BESIDE_BODY_BYTES = 1024 * 1024;
/** Of a body in tiny chunks, each with its own size, or in many small records. */
const BESIDE_BODY_FACTOR = 2;
const LOOK_EVERY_MS = 100;

/** What arrives on one connection, whatever it is to the parser: informational answers without end have no body. */
export class ReceivedBytes {
  /** The connection did not end, it failed: whatever looks like the end of an answer is none. */
  wasCut = false;
  private readonly timer: NodeJS.Timeout;

  constructor(socket: Socket, maxBodyBytes: number, refuse: (error: Error) => void) {
    socket.once('error', () => {
      this.wasCut = true;
    });
    const maxBytes = BESIDE_BODY_FACTOR * maxBodyBytes + BESIDE_BODY_BYTES;
    this.timer = setInterval(() => {
      if (socket.bytesRead <= maxBytes) return;
      this.stop();
      refuse(tooLarge(maxBodyBytes));
    }, LOOK_EVERY_MS);
    this.timer.unref();
  }

  stop(): void {
    clearInterval(this.timer);
  }
}
