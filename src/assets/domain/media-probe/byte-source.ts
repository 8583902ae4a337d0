import { ColophonError } from '../../../shared/errors.js';

/** Random access to the bytes of a file or a buffer. Owned by the structure checks of this folder. */
export interface ByteSource {
  readonly sizeBytes: number;
  /** Up to `length` bytes from `offset`; fewer only at the end. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

const WINDOW_BYTES = 65_536;

/** Reads forward through a source by windows, so that a walk over small blocks does not read the file block by block. */
export class ByteCursor {
  private window: Uint8Array = new Uint8Array(0);
  private windowStart = 0;
  position = 0;

  constructor(private readonly source: ByteSource) {}

  get remaining(): number {
    return this.source.sizeBytes - this.position;
  }

  /** The next bytes, consumed. @throws ColophonError `media_corrupt` when the file ends before */
  async take(length: number): Promise<Uint8Array> {
    if (length > this.remaining) throw truncated();
    await this.load(length);
    const from = this.position - this.windowStart;
    this.position += length;
    return this.window.subarray(from, from + length);
  }

  async takeByte(): Promise<number> {
    return (await this.take(1))[0] ?? 0;
  }

  /** @throws ColophonError `media_corrupt` when the file ends before */
  skip(length: number): void {
    if (length > this.remaining) throw truncated();
    this.position += length;
  }

  /** Moves behind the next byte of this value. @throws ColophonError `media_corrupt` when there is none */
  async skipPast(value: number): Promise<void> {
    while (this.remaining > 0) {
      await this.load(1);
      const from = this.position - this.windowStart;
      const found = this.window.indexOf(value, from);
      if (found >= 0) {
        this.position = this.windowStart + found + 1;
        return;
      }
      this.position = this.windowStart + this.window.length;
    }
    throw truncated();
  }

  /** To the next byte that is not zero, or to the end. */
  async skipZeros(): Promise<void> {
    while (this.remaining > 0) {
      await this.load(1);
      const from = this.position - this.windowStart;
      const found = this.window.subarray(from).findIndex((byte) => byte !== 0);
      this.position += found < 0 ? this.window.length - from : found;
      if (found >= 0) return;
    }
  }

  /** True when only zero bytes follow: padding of a block device or a careless writer, which can hide nothing. */
  async onlyPaddingFollows(): Promise<boolean> {
    while (this.remaining > 0) {
      const bytes = await this.take(Math.min(WINDOW_BYTES, this.remaining));
      if (bytes.some((byte) => byte !== 0)) return false;
    }
    return true;
  }

  private async load(length: number): Promise<void> {
    const from = this.position - this.windowStart;
    if (from >= 0 && from + length <= this.window.length) return;
    this.window = await this.source.read(this.position, Math.max(length, WINDOW_BYTES));
    this.windowStart = this.position;
    if (this.window.length < length) throw truncated();
  }
}

export function truncated(): ColophonError {
  return new ColophonError('media_corrupt', 'The file ends before what is in it does.');
}

export function damaged(reason: string): ColophonError {
  return new ColophonError('media_corrupt', reason);
}

/** Bytes that belong to nothing would make the file a polyglot: a viewer sees a picture, another program an archive. */
export function trailingData(): ColophonError {
  return new ColophonError(
    'unsupported_media',
    'The file holds other data than what it seems to be. Export it again.',
  );
}

/** A file of more blocks than this is made to keep a parser busy. */
export const MAX_BLOCKS = 200_000;

export function countBlock(blocks: number): number {
  if (blocks >= MAX_BLOCKS)
    throw new ColophonError('media_too_large', 'The file consists of too many blocks.');
  return blocks + 1;
}
