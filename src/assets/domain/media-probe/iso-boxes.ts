import { type ByteCursor, damaged, MAX_BLOCKS, trailingData, truncated } from './byte-source.js';
import { ColophonError } from '../../../shared/errors.js';

export interface IsoBox {
  readonly type: string;
  readonly bodyStart: number;
  /** The first byte behind the box. */
  readonly end: number;
}

/** Films have some 15 levels at most; the readers here go down five. */
export class BoxBudget {
  private left = MAX_BLOCKS;

  spend(): void {
    this.left -= 1;
    if (this.left < 0) throw new ColophonError('media_too_large', 'The file consists of too many boxes.');
  }
}

/**
 * The boxes between two places (ISO/IEC 14496-12 section 4.2). Each lies within its parent: one that claims more than
 * there is ends the file as damaged or truncated. A few bytes that are no box are accepted when they are zero.
 */
export async function* boxesBetween(
  cursor: ByteCursor,
  { start, end, isFile }: { start: number; end: number; isFile: boolean },
  budget: BoxBudget,
): AsyncGenerator<IsoBox> {
  let at = start;
  while (at < end) {
    budget.spend();
    cursor.position = at;
    if (end - at < 8) {
      if (await isZero(cursor, end - at)) return;
      throw isFile ? trailingData() : damaged('A box of the file is damaged.');
    }
    const head = await cursor.take(8);
    const type = String.fromCharCode(...head.subarray(4, 8));
    // QuickTime ends some lists with four zero bytes; padding behind the last box of a file is zero too.
    if (type === '\0\0\0\0' && (await isZeroFrom(cursor, at, end))) return;
    const short = view(head).getUint32(0);
    const isLarge = short === 1;
    const length = isLarge ? await largeLength(cursor) : short === 0 ? end - at : short;
    const bodyStart = at + (isLarge ? 16 : 8);
    if (length < bodyStart - at) throw damaged('A box of the file is damaged.');
    if (at + length > end) throw isFile ? truncated() : damaged('A box is longer than the one around it.');
    yield { type, bodyStart, end: at + length };
    at += length;
  }
}

async function largeLength(cursor: ByteCursor): Promise<number> {
  const large = view(await cursor.take(8)).getBigUint64(0);
  return large > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(large);
}

async function isZero(cursor: ByteCursor, length: number): Promise<boolean> {
  return (await cursor.take(length)).every((byte) => byte === 0);
}

async function isZeroFrom(cursor: ByteCursor, start: number, end: number): Promise<boolean> {
  cursor.position = start;
  while (cursor.position < end) {
    if (!(await isZero(cursor, Math.min(65_536, end - cursor.position)))) return false;
  }
  return true;
}

export function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
