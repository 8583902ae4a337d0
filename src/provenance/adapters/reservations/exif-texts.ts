/** EXIF 3.0 section 4.6; the texts in which people write about rights. */
const COPYRIGHT = 0x8298;
const EXIF_DIRECTORY = 0x8769;
const USER_COMMENT = 0x9286;
/** Written by Windows, in UTF-16. */
const XP_COMMENT = 0x9c9c;
const ENTRY_BYTES = 12;
const MAX_ENTRIES = 512;
/** Bytes of one value by type (TIFF 6.0 section 2; 129 is UTF-8 of EXIF 3.0). */
const VALUE_BYTES: Readonly<Record<number, number>> = { 1: 1, 2: 1, 6: 1, 7: 1, 129: 1 };

export interface ExifTexts {
  readonly texts: readonly string[];
  /** False when something that may be a text could not be taken out. */
  readonly isWhole: boolean;
}

/** The texts about rights in EXIF, which is a TIFF structure of its own. Hostile input: every place is checked. */
export function exifTexts(exif: Buffer): ExifTexts {
  const texts: string[] = [];
  const order = exif.toString('latin1', 0, 2);
  if (exif.length < 8 || (order !== 'II' && order !== 'MM')) return { texts, isWhole: false };
  const reader = new TiffReader(exif, order === 'II');
  const root = reader.directory(reader.u32(4));
  const nested = root.entries.filter(({ tag }) => tag === EXIF_DIRECTORY).map(({ at }) => reader.u32(at));
  const directories = [root, ...nested.slice(0, 4).map((at) => reader.directory(at))];
  let isWhole = nested.length <= 4 && directories.every((directory) => directory.isWhole);
  for (const { entries } of directories) {
    for (const entry of entries) {
      const decode = DECODERS[entry.tag];
      if (decode === undefined) continue;
      const value = reader.value(entry);
      if (value === undefined) isWhole = false;
      else texts.push(decode(value, order === 'II'));
    }
  }
  return { texts, isWhole };
}

interface Entry {
  readonly tag: number;
  readonly type: number;
  readonly count: number;
  /** Of the value, or of its place. */
  readonly at: number;
}

class TiffReader {
  constructor(
    private readonly bytes: Buffer,
    private readonly isLittle: boolean,
  ) {}

  u16(at: number): number {
    return this.isLittle ? this.bytes.readUInt16LE(at) : this.bytes.readUInt16BE(at);
  }

  u32(at: number): number {
    if (at + 4 > this.bytes.length) return Number.POSITIVE_INFINITY;
    return this.isLittle ? this.bytes.readUInt32LE(at) : this.bytes.readUInt32BE(at);
  }

  directory(start: number): { readonly entries: readonly Entry[]; readonly isWhole: boolean } {
    if (!(start + 2 <= this.bytes.length)) return { entries: [], isWhole: false };
    const count = this.u16(start);
    const fitting = Math.floor((this.bytes.length - start - 2) / ENTRY_BYTES);
    const taken = Math.min(count, fitting, MAX_ENTRIES);
    const entries = Array.from({ length: taken }, (_, i) => {
      const at = start + 2 + i * ENTRY_BYTES;
      return { tag: this.u16(at), type: this.u16(at + 2), count: this.u32(at + 4), at: at + 8 };
    });
    return { entries, isWhole: taken === count };
  }

  value({ type, count, at }: Entry): Buffer | undefined {
    const length = (VALUE_BYTES[type] ?? Number.POSITIVE_INFINITY) * count;
    const start = length <= 4 ? at : this.u32(at);
    return start + length <= this.bytes.length ? this.bytes.subarray(start, start + length) : undefined;
  }
}

type Decode = (value: Buffer, isLittle: boolean) => string;
const plain: Decode = (value) => {
  const text = value.toString('utf8');
  return withoutZeros(text.includes('\ufffd') ? value.toString('latin1') : text);
};
const utf16: Decode = (value, isLittle) => {
  const even = Buffer.from(value.subarray(0, value.length - (value.length % 2)));
  return withoutZeros((isLittle ? even : even.swap16()).toString('utf16le'));
};
/** EXIF 3.0 section 4.6.6: eight bytes name the character code. Writers disagree about the order of UNICODE: both are tried. */
const userComment: Decode = (value, isLittle) => {
  const code = value.toString('latin1', 0, 8);
  const words = value.subarray(8);
  if (!code.startsWith('UNICODE')) return plain(words, isLittle);
  return `${utf16(words, true)} ${utf16(words, false)} ${plain(words, isLittle)}`;
};

const DECODERS: Readonly<Record<number, Decode>> = {
  [COPYRIGHT]: plain,
  [USER_COMMENT]: userComment,
  [XP_COMMENT]: (value) => utf16(value, true),
};

/** The photographer and the editor stand in one field, with a zero between them. */
function withoutZeros(text: string): string {
  return text.replaceAll('\0', ' ').trim();
}
