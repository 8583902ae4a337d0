import { Worker } from 'node:worker_threads';

/** Given as text: the thread needs nothing of ours, so it is the same compiled and in tests. */
const THREAD = `
const { createHash } = require('node:crypto');
const { parentPort } = require('node:worker_threads');
parentPort.on('message', ({ id, bytes }) => {
  parentPort.postMessage({ id, sha256: createHash('sha256').update(bytes).digest('hex') });
});
`;

/** So many pieces of memory are kept for the next files. */
const MAX_FREE = 4;

interface Answer {
  readonly id: number;
  readonly sha256: string;
}

interface Waiting {
  readonly resolve: (sha256: string) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Memory for whole files that is used again and again, and a thread that shares it and hashes what lies there. Fresh
 * memory for each file would make the garbage collector stop everything every few files, and hashing ten megabytes takes
 * the event loop ten milliseconds.
 *
 * What is given back is overwritten by the next file: nobody may keep a view of it.
 */
export class SharedMemory {
  private readonly free: SharedArrayBuffer[] = [];
  private readonly waiting = new Map<number, Waiting>();
  private thread: Worker | undefined;
  private asked = 0;

  /** @param pieceBytes the largest file */
  constructor(
    readonly pieceBytes: number,
    private readonly program: string = THREAD,
  ) {}

  /** @throws RangeError for more than a piece */
  take(sizeBytes: number): Buffer {
    return Buffer.from(this.free.pop() ?? new SharedArrayBuffer(this.pieceBytes), 0, sizeBytes);
  }

  giveBack(bytes: Buffer): void {
    if (this.free.length < MAX_FREE) this.free.push(bytes.buffer as SharedArrayBuffer);
  }

  /** Lower-case hexadecimal SHA-256 of memory that was taken here. */
  async sha256(bytes: Buffer): Promise<string> {
    const thread = (this.thread ??= this.startThread());
    const id = (this.asked += 1);
    // While it works it keeps this process running; while idle it must not.
    thread.ref();
    try {
      return await new Promise<string>((resolve, reject) => {
        this.waiting.set(id, { resolve, reject });
        thread.postMessage({ id, bytes });
      });
    } finally {
      if (this.waiting.size === 0) thread.unref();
    }
  }

  private startThread(): Worker {
    const thread = new Worker(this.program, { eval: true, env: {} });
    thread.on('message', ({ id, sha256 }: Answer) => {
      const waiting = this.waiting.get(id);
      this.waiting.delete(id);
      waiting?.resolve(sha256);
    });
    thread.on('error', () => this.forget(thread));
    thread.on('exit', () => this.forget(thread));
    return thread;
  }

  /** Without its answer nothing is signed; the next file gets a new thread. */
  private forget(thread: Worker): void {
    if (this.thread !== thread) return;
    this.thread = undefined;
    const waiting = [...this.waiting.values()];
    this.waiting.clear();
    for (const { reject } of waiting) reject(new Error('the thread that hashes files ended'));
  }
}
