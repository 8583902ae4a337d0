import { stat } from 'node:fs/promises';
import { type IsolatedDecoder } from '../../assets/adapters/isolated-media-probe.js';
import { ColophonError } from '../../shared/errors.js';
import {
  type MediaToVerify,
  type MediaVerification,
  type MediaVerifier,
} from '../domain/media-verifier.port.js';
import { type FileReading, type ReservationReader } from '../domain/reservations/reservation.js';
import { type TrustList } from '../domain/trust-list.js';
import { readManifestStore, readSidecar } from './carried-store.js';
import { type TrustAnchors } from './c2pa-settings.js';
import { LARGE_FILE_MEMORY, type LargeFileMemory } from './large-file-memory.js';
import { findIsolation, type Isolation } from './isolation.js';
import { listsKeyOf, type NormalizedPixels, type TaskResults } from './verification-protocol.js';
import { ChildEndedError, VerificationWorker } from './verification-worker.js';

export interface VerificationProcessOptions {
  readonly trust: TrustAnchors | undefined;
  /** Whom else to trust, asked for each file, so that a newer list counts at once. Default: nobody. */
  readonly lists?: () => readonly TrustList[];
  /** What the system lets us take away from the child; default: what {@link findIsolation} finds. */
  readonly isolation?: Isolation;
  /** The compiled child program; default: the one beside this module. */
  readonly childModuleUrl?: URL;
  /** Extra arguments of Node for the child, e.g. a loader for TypeScript in tests. */
  readonly childExecArgv?: readonly string[];
  /** Time for one file, from the start of parsing. */
  readonly deadlineMs?: number;
  readonly maxFileBytes?: number;
  /** For files that {@link MediaToVerify.mayBeLarge}. */
  readonly maxLargeFileBytes?: number;
  readonly memoryLimitBytes?: number;
  /** What large files may take in all children at once; shared with whoever reads or writes them in this process. */
  readonly memory?: LargeFileMemory;
  readonly maxConcurrent?: number;
  /** Files that may wait; beyond that callers are turned away. */
  readonly maxQueued?: number;
  /**
   * How many children a file may end. A file of a stranger: one. A file that somebody paid for: two, because a child may
   * also be ended by what has nothing to do with the file.
   */
  readonly attempts?: number;
}

const MEBIBYTE = 1024 * 1024;

/** Above it a file gets more time. */
const LARGE_FILE_BYTES = 256 * MEBIBYTE;

const DEFAULTS = {
  childModuleUrl: new URL('./verification-child.js', import.meta.url),
  childExecArgv: [] as readonly string[],
  lists: (): readonly TrustList[] => [],
  deadlineMs: 30_000,
  maxFileBytes: LARGE_FILE_BYTES,
  maxLargeFileBytes: 16 * 1024 * MEBIBYTE,
  memoryLimitBytes: 1024 * MEBIBYTE,
  memory: LARGE_FILE_MEMORY,
  maxConcurrent: 2,
  maxQueued: 32,
  attempts: 1,
};

/** The others look at parts of a file, or decode what their own limits allow. */
const HASHED_BY_LIBRARY: ReadonlySet<keyof TaskResults> = new Set(['verify', 'reservations', 'crjson']);

/** A child is replaced after so many files, so that whatever one file did to it does not last. */
const FILES_PER_CHILD = 250;
/** An idle child costs some 100 MB; starting one costs some 700 ms of processor time until its first picture. */
const IDLE_MS = 10_000;

/** Below what the slowest disk reads: the file is read twice, once by us and once by the library. */
const LARGE_BYTES_PER_SECOND = 10 * MEBIBYTE;

interface IdleWorker {
  readonly worker: VerificationWorker;
  readonly timer: NodeJS.Timeout;
}

/** For the whole life of a child: one file may use two processors until its deadline, and as much was used before. */
function cpuLimitSeconds(deadlineMs: number): number {
  return Math.max(60, Math.ceil((4 * deadlineMs) / 1000));
}

/**
 * Verifies and decodes files, and reads what they reserve, in child processes: at most `maxConcurrent` at once, the others wait in a bounded
 * queue. A child that crashes, grows or does not answer in time is killed, and its file is `manifest_malformed`; the
 * parent never parses the file itself.
 */
export class VerificationProcess implements MediaVerifier, ReservationReader, IsolatedDecoder {
  private readonly options: Omit<Required<VerificationProcessOptions>, 'isolation'>;
  private readonly isolation: Promise<Isolation>;
  private readonly idle: IdleWorker[] = [];
  private readonly busy = new Set<VerificationWorker>();
  private readonly waiting: (() => void)[] = [];
  private active = 0;
  private closed = false;
  private readonly closing = new AbortController();

  constructor(options: VerificationProcessOptions) {
    this.options = { ...DEFAULTS, ...options };
    const { memoryLimitBytes, deadlineMs } = this.options;
    this.isolation =
      options.isolation === undefined
        ? findIsolation({ memoryLimitBytes, cpuLimitSeconds: cpuLimitSeconds(deadlineMs) })
        : Promise.resolve(options.isolation);
  }

  /** What the child has been deprived of, in one sentence. */
  async describeIsolation(): Promise<string> {
    return (await this.isolation).text;
  }

  /**
   * @throws ColophonError `payload_too_large`, `rate_limited` when too many wait, `unsupported_media`,
   *   `media_corrupt`, `manifest_malformed`; `reader_unavailable` when no child can be started.
   */
  async verify(file: MediaToVerify): Promise<MediaVerification> {
    return this.inTurn('verify', file);
  }

  /** @throws ColophonError as {@link verify} */
  async readReservations(file: MediaToVerify): Promise<FileReading> {
    return this.inTurn('reservations', file);
  }

  /**
   * The manifest store as crJSON, by the library's own words.
   * @throws ColophonError as {@link verify}; `no_manifest`
   */
  async crJson(file: MediaToVerify): Promise<string> {
    return this.inTurn('crjson', file);
  }

  /** What the file is, decoded to its end. @throws ColophonError of {@link MediaProbe}, `rate_limited` */
  async probe(path: string): Promise<unknown> {
    return this.inTurn('probe', { path, mediaType: '', mayBeLarge: true });
  }

  /** The picture as few gray values. @throws ColophonError `media_corrupt`, `rate_limited` */
  async normalizedPixels(path: string): Promise<NormalizedPixels> {
    return this.inTurn('pixels', { path, mediaType: '', mayBeLarge: true });
  }

  /** Cuts the store out of its container, with bounded walks; nothing in it is parsed, so no child is needed. */
  async manifestStore(path: string, manifestPath?: string): Promise<Buffer | undefined> {
    return manifestPath === undefined ? (await readManifestStore(path)).store : readSidecar(manifestPath);
  }

  /** Ends all children. Files in work fail; later calls are refused. */
  close(): void {
    this.closed = true;
    this.closing.abort(new ColophonError('reader_unavailable', 'Files are not read any more.'));
    for (const { worker, timer } of this.idle.splice(0)) {
      clearTimeout(timer);
      worker.kill();
    }
    for (const worker of this.busy) worker.kill();
    for (const next of this.waiting.splice(0)) next();
  }

  /** @returns the size */
  private async refuseTooLarge({ path, mayBeLarge }: MediaToVerify): Promise<number> {
    const status = await stat(path);
    if (!status.isFile()) throw new ColophonError('unsupported_media', 'This is not a regular file.');
    const { maxFileBytes, maxLargeFileBytes } = this.options;
    const maxBytes = mayBeLarge === true ? Math.max(maxFileBytes, maxLargeFileBytes) : maxFileBytes;
    if (status.size > maxBytes) {
      const limit = Math.floor(maxBytes / MEBIBYTE);
      throw new ColophonError('payload_too_large', `Files of up to ${String(limit)} MiB can be verified.`);
    }
    return status.size;
  }

  private async enter(): Promise<void> {
    if (this.active < this.options.maxConcurrent) {
      this.active += 1;
      return;
    }
    if (this.waiting.length >= this.options.maxQueued) {
      throw new ColophonError('rate_limited', 'Too many files are being verified now.');
    }
    // Whoever leaves hands over the place, so `active` stays as it is.
    await new Promise<void>((resolve) => this.waiting.push(resolve));
  }

  private leave(): void {
    const next = this.waiting.shift();
    if (next) next();
    else this.active -= 1;
  }

  private async inTurn<Task extends keyof TaskResults>(
    task: Task,
    file: MediaToVerify,
  ): Promise<TaskResults[Task]> {
    const sizeBytes = await this.refuseTooLarge(file);
    await this.enter();
    try {
      const work = (): Promise<TaskResults[Task]> => this.inWorkers(task, file, sizeBytes);
      const { signal } = this.closing;
      return await (HASHED_BY_LIBRARY.has(task)
        ? this.options.memory.run(sizeBytes, work, { signal })
        : work());
    } finally {
      this.leave();
    }
  }

  private async inWorkers<Task extends keyof TaskResults>(
    task: Task,
    file: MediaToVerify,
    sizeBytes: number,
  ): Promise<TaskResults[Task]> {
    for (let left = this.options.attempts; ; left -= 1) {
      try {
        return await this.inWorker(task, file, sizeBytes);
      } catch (error) {
        const ended = error instanceof ColophonError && error.cause instanceof ChildEndedError;
        if (!ended || this.closed || left <= 1) throw error;
      }
    }
  }

  private async inWorker<Task extends keyof TaskResults>(
    task: Task,
    { path, mediaType, manifestPath }: MediaToVerify,
    sizeBytes: number,
  ): Promise<TaskResults[Task]> {
    const worker = this.takeWorker(await this.isolation);
    this.busy.add(worker);
    try {
      const { trust, lists, memoryLimitBytes, deadlineMs } = this.options;
      const extraMs = (Math.max(0, sizeBytes - LARGE_FILE_BYTES) / LARGE_BYTES_PER_SECOND) * 1000;
      const ofNow = lists();
      const job = {
        task,
        path,
        mediaType,
        manifestPath,
        trust: trust ?? null,
        listsKey: listsKeyOf(ofNow),
        lists: ofNow,
        memoryLimitBytes,
      };
      return await worker.run(job, deadlineMs + extraMs);
    } catch (error) {
      // It was ended by us: that says nothing about the file, which may be paid for.
      if (this.closed)
        throw new ColophonError('reader_unavailable', 'Files are not read any more.', { cause: error });
      throw error;
    } finally {
      this.busy.delete(worker);
      this.putBack(worker);
    }
  }

  private takeWorker(isolation: Isolation): VerificationWorker {
    if (this.closed) throw new ColophonError('reader_unavailable', 'Files are not read any more.');
    for (let last = this.idle.pop(); last; last = this.idle.pop()) {
      clearTimeout(last.timer);
      if (last.worker.isAlive) return last.worker;
    }
    return this.startWorker(isolation);
  }

  private startWorker({ command }: Isolation): VerificationWorker {
    return new VerificationWorker(this.options.childModuleUrl, this.options.childExecArgv, command);
  }

  private putBack(worker: VerificationWorker): void {
    // The kernel counts the processor time of all its files together, and the next file shall not pay for them.
    const isSpent = worker.cpuMs > (cpuLimitSeconds(this.options.deadlineMs) * 1000) / 2;
    const isRetired = isSpent || worker.filesSeen >= FILES_PER_CHILD;
    if (!this.closed && worker.isAlive && !isRetired) {
      this.rest(worker);
      return;
    }
    worker.kill();
    // Files come one after the other now, and the next one need not wait for a child to start.
    if (isRetired)
      void this.isolation.then((isolation) => this.closed || this.rest(this.startWorker(isolation)));
  }

  private rest(worker: VerificationWorker): void {
    const timer = setTimeout(() => {
      this.idle.splice(
        this.idle.findIndex((each) => each.worker === worker),
        1,
      );
      worker.kill();
    }, IDLE_MS);
    timer.unref();
    this.idle.push({ worker, timer });
  }
}
