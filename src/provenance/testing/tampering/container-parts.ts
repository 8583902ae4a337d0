import { crc32 } from 'node:zlib';

/** A file as a row of parts that a forger could take out, double, swap or add to. Joined, they are the file again. */
export interface Parted {
  readonly head: Buffer;
  readonly parts: readonly Buffer[];
  readonly tail: Buffer;
  /** A part of the container's own kind that says nothing. */
  readonly stranger: Buffer;
  /** Repairs what depends on all parts, e.g. a length at the beginning. */
  readonly repair?: (file: Buffer) => Buffer;
}

const EMPTY = Buffer.alloc(0);

/** `undefined` for containers whose parts are not told apart here: these are cut anywhere. */
export function partsOf(file: Buffer): Parted | undefined {
  const mark = file.toString('latin1', 0, 12);
  if (mark.startsWith('\x89PNG')) return pngParts(file);
  if (mark.startsWith('\xff\xd8')) return jpegParts(file);
  if (mark.startsWith('RIFF')) return riffParts(file);
  if (mark.startsWith('fLaC')) return flacParts(file);
  if (mark.slice(4, 8) === 'ftyp' || mark.slice(4, 8) === 'JXL ') return boxParts(file);
  return undefined;
}

function pngParts(file: Buffer): Parted {
  const parts: Buffer[] = [];
  for (let at = 8; at + 12 <= file.length;) {
    const end = at + 12 + file.readUInt32BE(at);
    parts.push(file.subarray(at, end));
    at = end;
  }
  return { head: file.subarray(0, 8), parts, tail: EMPTY, stranger: pngChunk('tEXt', 'Comment\0added') };
}

function pngChunk(type: string, text: string): Buffer {
  const body = Buffer.from(`${type}${text}`, 'latin1');
  return Buffer.concat([u32(body.length - 4), body, u32(crc32(body))]);
}

/** Segments up to the first scan; what follows is one part. */
function jpegParts(file: Buffer): Parted {
  const parts: Buffer[] = [];
  let at = 2;
  while (at + 4 <= file.length && file[at] === 0xff && file[at + 1] !== 0xda) {
    const end = at + 2 + file.readUInt16BE(at + 2);
    parts.push(file.subarray(at, end));
    at = end;
  }
  const stranger = Buffer.concat([Buffer.from([0xff, 0xef, 0, 8]), Buffer.from('added!')]);
  return { head: file.subarray(0, 2), parts: [...parts, file.subarray(at)], tail: EMPTY, stranger };
}

function riffParts(file: Buffer): Parted {
  const parts: Buffer[] = [];
  let at = 12;
  while (at + 8 <= file.length) {
    const length = file.readUInt32LE(at + 4);
    const end = Math.min(file.length, at + 8 + length + (length % 2));
    parts.push(file.subarray(at, end));
    at = end;
  }
  const stranger = Buffer.from('JUNK\x04\0\0\0more', 'latin1');
  return {
    head: file.subarray(0, 12),
    parts,
    tail: file.subarray(at),
    stranger,
    repair: (changed) => {
      changed.writeUInt32LE(changed.length - 8, 4);
      return changed;
    },
  };
}

/** Metadata blocks (the last one marked), then frames as one part. */
function flacParts(file: Buffer): Parted {
  const parts: Buffer[] = [];
  let at = 4;
  for (let last = false; !last && at + 4 <= file.length;) {
    last = ((file[at] ?? 0) & 0x80) !== 0;
    const end = at + 4 + file.readUIntBE(at + 1, 3);
    parts.push(file.subarray(at, end));
    at = end;
  }
  const stranger = Buffer.from([1, 0, 0, 4, 0, 0, 0, 0]);
  return { head: file.subarray(0, 4), parts, tail: file.subarray(at), stranger };
}

/** Top-level boxes of ISO base media files and JPEG XL. */
function boxParts(file: Buffer): Parted {
  const parts: Buffer[] = [];
  let at = 0;
  while (at + 8 <= file.length) {
    const size = file.readUInt32BE(at);
    const length = size === 1 ? Number(file.readBigUInt64BE(at + 8)) : size === 0 ? file.length - at : size;
    if (length < 8) break;
    parts.push(file.subarray(at, at + length));
    at += length;
  }
  const stranger = Buffer.concat([u32(16), Buffer.from('freeadded!!!', 'latin1')]);
  return { head: EMPTY, parts, tail: file.subarray(at), stranger };
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** The same file with one part taken out, doubled, swapped with the next, or a stranger's put before it. */
export function rearrangements({
  head,
  parts,
  tail,
  stranger,
  repair = (file) => file,
}: Parted): { what: string; bytes: Buffer }[] {
  const joined = (what: string, changed: readonly Buffer[]) => ({
    what,
    bytes: repair(Buffer.concat([head, ...changed, tail])),
  });
  return parts.flatMap((part, i) => {
    const [before, after] = [parts.slice(0, i), parts.slice(i + 1)];
    const [next, ...rest] = after;
    return [
      joined(`part ${i} removed`, [...before, ...after]),
      joined(`part ${i} doubled`, [...before, part, part, ...after]),
      joined(`a part added before ${i}`, [...before, stranger, part, ...after]),
      ...(next === undefined
        ? []
        : [joined(`parts ${i} and ${i + 1} swapped`, [...before, next, part, ...rest])]),
    ];
  });
}

/** For any file: cut, lengthened, a piece taken out, doubled, or swapped with another. */
export function cuts(file: Buffer, random: () => number, count: number): { what: string; bytes: Buffer }[] {
  const place = (): number => Math.floor(random() * file.length);
  return Array.from({ length: count }, (_, i) => {
    const [a = 0, b = 0] = [place(), place()].sort((x, y) => x - y);
    const [start, piece, end] = [file.subarray(0, a), file.subarray(a, b + 1), file.subarray(b + 1)];
    const ways: readonly (readonly [string, readonly Buffer[]])[] = [
      ['truncated', [start]],
      ['a piece removed', [start, end]],
      ['a piece doubled', [start, piece, piece, end]],
      ['bytes appended', [file, piece.subarray(0, 64)]],
      ['two pieces swapped', [end, piece, start]],
    ];
    const [what, changed] = ways[i % ways.length] ?? ['truncated', [start]];
    return { what, bytes: Buffer.concat([...changed]) };
  }).filter(({ bytes }) => !bytes.equals(file));
}
