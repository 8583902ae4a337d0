import { setImmediate as nextTurn } from 'node:timers/promises';
import { type ByteSource } from '../byte-source.js';
import { type Box } from '../iso-media-manifest-store.js';

/** A table of a film of days: 16 million entries of 4 bytes. */
export const MAX_SAMPLE_TABLE_BYTES = 64 * 1024 * 1024;
/** Of items and fragments there are far fewer than of samples. */
const MAX_TABLE_BYTES = 4 * 1024 * 1024;
const ENTRIES_PER_TURN = 512 * 1024;

/** What a file says about its media is more than anybody needs to say: it is not read, and where they lie is not known. */
export class TooMuchToRead extends Error {}

/** All tables of a file take a share of this. */
export class ReadingBudget {
  private left: number;
  private turnAt: number;

  constructor(entries: number) {
    this.left = entries;
    this.turnAt = entries;
  }

  /** @throws TooMuchToRead */
  take(entries = 1): void {
    this.left -= entries;
    if (this.left < 0) throw new TooMuchToRead();
  }

  /** Others have their turn after much work; `undefined` when it was little. */
  turn(): Promise<void> | undefined {
    if (this.turnAt - this.left < ENTRIES_PER_TURN) return undefined;
    this.turnAt = this.left;
    return nextTurn();
  }
}

/** A 32-bit part of a larger number is read as unsigned, a 64-bit number as signed: players add them with overflow. */
export function sum64(...numbers: readonly bigint[]): number {
  return Number(
    BigInt.asIntN(
      64,
      numbers.reduce((sum, number) => sum + number, 0n),
    ),
  );
}

/** Numbers of a box, one after the other; zeros behind its end. */
export class Table {
  private at = 0;

  private constructor(private readonly bytes: Buffer) {}

  /** @throws TooMuchToRead */
  static async of(
    file: ByteSource,
    { offset, sizeBytes, headerBytes }: Box,
    maxBytes = MAX_TABLE_BYTES,
  ): Promise<Table> {
    const length = Math.min(sizeBytes, file.sizeBytes - offset) - headerBytes;
    if (length > maxBytes) throw new TooMuchToRead();
    return new Table(Buffer.from(await file.read(offset + headerBytes, length)));
  }

  get leftBytes(): number {
    return Math.max(0, this.bytes.length - this.at);
  }

  /** Version and flags, with which most boxes begin. */
  fullBoxHead(): { readonly version: number; readonly flags: number } {
    const word = this.number(4);
    return { version: word >>> 24, flags: word & 0xffffff };
  }

  passOver(bytes: number): void {
    this.at += bytes;
  }

  /** @param size in bytes: 0 (nothing, which is 0) to 4 */
  number(size: number): number {
    const start = this.at;
    this.at += size;
    return size === 0 || this.at > this.bytes.length ? 0 : this.bytes.readUIntBE(start, size);
  }

  signed32(): number {
    return this.number(4) | 0;
  }

  /** @param size in bytes: 0, 4 or 8, as tables of offsets have them; no reader knows others */
  offset(size: number): bigint {
    if (size <= 4) return BigInt(this.number(size));
    const start = this.at;
    this.at += size;
    return size !== 8 || this.at > this.bytes.length ? 0n : this.bytes.readBigInt64BE(start);
  }

  /** Entries that follow, as far as the box has room for them. */
  count(declared: number, entryBytes: number): number {
    return Math.min(declared, Math.floor(this.leftBytes / entryBytes));
  }

  /** The numbers that follow, read where they stand: there may be millions. */
  numbers(declared: number, bits: NumberBits): Numbers {
    const length = Math.min(declared, Math.floor((this.leftBytes * 8) / bits));
    return new Numbers(this.bytes.subarray(this.at), bits, length);
  }
}

export type NumberBits = 4 | 8 | 16 | 32 | 64;

export class Numbers {
  constructor(
    private readonly bytes: Buffer,
    private readonly bits: NumberBits,
    readonly length: number,
  ) {}

  /** Zero behind the last one. */
  at(i: number): number {
    if (i >= this.length) return 0;
    if (this.bits === 64) return Number(this.bytes.readBigInt64BE(8 * i));
    if (this.bits === 4) return (this.bytes.readUInt8(i >> 1) >> (i % 2 === 0 ? 4 : 0)) & 15;
    const size = this.bits / 8;
    return this.bytes.readUIntBE(size * i, size);
  }
}
