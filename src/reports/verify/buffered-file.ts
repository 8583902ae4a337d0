import { type FileHandle, open } from 'node:fs/promises';
import { RandomAccessReader } from 'yauzl';

/** A bundle has thousands of small files one after another: one read from disk serves hundreds of them. */
const WINDOW_BYTES = 256 * 1024;

/** A file that is read in small pieces, mostly from front to back. Bytes that are handed out must not be changed. */
export class BufferedFile extends RandomAccessReader {
  private window: Buffer = Buffer.alloc(0);
  private windowStart = 0;

  private constructor(
    private readonly handle: FileHandle,
    readonly sizeBytes: number,
  ) {
    super();
  }

  static async open(path: string): Promise<BufferedFile> {
    const handle = await open(path, 'r');
    const { size } = await handle.stat();
    return new BufferedFile(handle, size);
  }

  /** Exactly `length` bytes; fewer at the end of the file. */
  async bytesAt(position: number, length: number): Promise<Buffer> {
    const offset = position - this.windowStart;
    if (offset < 0 || offset + length > this.window.length) {
      this.window = await readAt(this.handle, position, Math.max(length, WINDOW_BYTES));
      this.windowStart = position;
      return this.window.subarray(0, length);
    }
    return this.window.subarray(offset, offset + length);
  }

  /** For the zip library, which reads the directory with it. */
  override read(
    target: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null) => void,
  ): void {
    this.bytesAt(position, length).then(
      (bytes) => {
        bytes.copy(target, offset);
        callback(bytes.length < length ? new Error('unexpected end of file') : null);
      },
      (error: unknown) => callback(error as Error),
    );
  }

  override close(callback: (error: Error | null) => void): void {
    this.handle.close().then(
      () => callback(null),
      (error: unknown) => callback(error as Error),
    );
  }
}

/** Reads exactly `length` bytes; fewer at the end of the file. */
async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(buffer, filled, length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}
