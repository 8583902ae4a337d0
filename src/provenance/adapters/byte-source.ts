import { open, type FileHandle } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** Random access to a file through one read window, so that walking many small chunks costs few system calls. */
export class ByteSource {
  private static readonly WINDOW_BYTES = 256 * 1024;
  /** A file of a stranger may consist of hundreds of thousands of parts: others have their turn in between. */
  private static readonly READS_PER_TURN = 4096;
  private windowStart = 0;
  private reads = 0;

  private constructor(
    /** `undefined`: the window is everything. */
    private readonly handle: FileHandle | undefined,
    readonly sizeBytes: number,
    private window: Buffer = Buffer.alloc(0),
    private readonly ownsHandle = false,
  ) {}

  /** Bytes in memory, read in the same way. */
  static of(bytes: Buffer): ByteSource {
    return new ByteSource(undefined, bytes.length, bytes);
  }

  /** A file that its owner closes. */
  static over(handle: FileHandle, sizeBytes: number): ByteSource {
    return new ByteSource(handle, sizeBytes);
  }

  static async open(path: string): Promise<ByteSource> {
    const handle = await open(path, 'r');
    try {
      return new ByteSource(handle, (await handle.stat()).size, undefined, true);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** Up to `length` bytes at `offset`; shorter at the end of the file. The bytes are a view: do not keep them. */
  async read(offset: number, length: number): Promise<Buffer> {
    if (offset < 0 || offset >= this.sizeBytes || length <= 0) return Buffer.alloc(0);
    this.reads += 1;
    if (this.reads % ByteSource.READS_PER_TURN === 0) await nextTurn();
    const wanted = Math.min(length, this.sizeBytes - offset);
    if (offset < this.windowStart || offset + wanted > this.windowStart + this.window.length) {
      await this.fill(offset, Math.max(wanted, ByteSource.WINDOW_BYTES));
    }
    const start = offset - this.windowStart;
    return this.window.subarray(start, start + wanted);
  }

  /** A file that somebody else opened stays open. */
  async close(): Promise<void> {
    if (this.ownsHandle) await this.handle?.close();
  }

  private async fill(offset: number, length: number): Promise<void> {
    const buffer = Buffer.allocUnsafe(Math.min(length, this.sizeBytes - offset));
    const { bytesRead = 0 } = (await this.handle?.read(buffer, 0, buffer.length, offset)) ?? {};
    this.window = buffer.subarray(0, bytesRead);
    this.windowStart = offset;
  }
}
