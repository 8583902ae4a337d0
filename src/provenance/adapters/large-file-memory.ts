import { MAX_BYTES_IN_MEMORY } from './media-content.js';

const MEBIBYTE = 1024 * 1024;
/** Two files of any size at once. */
const DEFAULT_LIMIT_BYTES = 1024 * MEBIBYTE;
/** The library hashes a large file in pieces of up to 256 MiB, two at a time, whatever its size. */
const MAX_HELD_BYTES = 512 * MEBIBYTE;
/** Of MP3 and FLAC, which may have up to 128 MiB, it holds all bytes twice; of others less. */
const COPIES = 2;

export interface MemoryRequest {
  /** Goes before all that is not: a file that is half done is finished before another one is begun. */
  readonly isBegun?: boolean;
  /** Whoever waits no longer; work that has begun goes on. */
  readonly signal?: AbortSignal;
}

interface Waiting {
  readonly bytes: number;
  readonly admit: () => void;
}

/**
 * The memory that large files take while the C2PA library signs or reads them, in this process and in the children that
 * it starts: as many at once as fit, the others wait in the order in which they came. One that is larger than the limit
 * has all of it for itself, so everything has its turn.
 *
 * Nobody may ask for more while holding some: then two could wait for each other.
 */
export class LargeFileMemory {
  private heldBytes = 0;
  private readonly begun: Waiting[] = [];
  private readonly waiting: Waiting[] = [];

  constructor(private readonly limitBytes = DEFAULT_LIMIT_BYTES) {}

  /**
   * @param sizeBytes of the file; small ones are bounded elsewhere and do not wait
   * @throws the reason of the signal when it is aborted before the work has begun
   */
  async run<T>(sizeBytes: number, work: () => Promise<T>, request: MemoryRequest = {}): Promise<T> {
    if (sizeBytes <= MAX_BYTES_IN_MEMORY) return work();
    const bytes = Math.min(COPIES * sizeBytes, MAX_HELD_BYTES);
    await this.enter(bytes, request);
    try {
      return await work();
    } finally {
      this.heldBytes -= bytes;
      this.admitNext();
    }
  }

  private async enter(bytes: number, { isBegun = false, signal }: MemoryRequest): Promise<void> {
    signal?.throwIfAborted();
    const queue = isBegun ? this.begun : this.waiting;
    await new Promise<void>((resolve, reject) => {
      const giveUp = (): void => {
        queue.splice(queue.indexOf(entry), 1);
        reject(signal?.reason as Error);
        // It may have been what the others waited behind.
        this.admitNext();
      };
      const admit = (): void => {
        signal?.removeEventListener('abort', giveUp);
        resolve();
      };
      const entry: Waiting = { bytes, admit };
      signal?.addEventListener('abort', giveUp, { once: true });
      queue.push(entry);
      this.admitNext();
    });
  }

  /** Never past one that does not fit: small ones would come in between for ever. */
  private admitNext(): void {
    for (;;) {
      const queue = this.begun.length > 0 ? this.begun : this.waiting;
      const [next] = queue;
      if (next === undefined) return;
      if (this.heldBytes > 0 && this.heldBytes + next.bytes > this.limitBytes) return;
      queue.shift();
      this.heldBytes += next.bytes;
      next.admit();
    }
  }
}

/** For whoever is given no other: one for the whole process. */
export const LARGE_FILE_MEMORY = new LargeFileMemory();
