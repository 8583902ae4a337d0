import { decodeBase32, encodeBase32 } from './base32.js';

/** ISO 24138:2024 main types of a unit. A code that is composed of several units (5) is none. */
export const MAIN_TYPES = { meta: 0, semantic: 1, content: 2, data: 3, instance: 4 } as const;
/** Subtypes of the main type `content`. */
export const CONTENT_SUBTYPES = { text: 0, image: 1, audio: 2, video: 3, mixed: 4 } as const;

/** One self-describing part of an ISCC: header and bits. */
export interface IsccUnit {
  readonly mainType: number;
  readonly subType: number;
  readonly version: number;
  /** 4 to 32 bytes, a multiple of 4. */
  readonly body: Uint8Array;
}

/** A longer text is no sequence of units of one file: 12 units of 34 bytes. */
const MAX_SEQUENCE_BYTES = 408;
const MAX_LENGTH_FIELD = 7;
const PRINTED = /^ISCC:([A-Z2-7]{1,660})$/i;

/** A sequence of units cannot be read. The message is for whoever sent it. */
export class IsccFormatError extends Error {}

/** Header and body, the bytes that are printed. */
export function unitBytes({ mainType, subType, version, body }: IsccUnit): Uint8Array {
  const length = body.length / 4 - 1;
  if (!Number.isInteger(length) || length < 0 || length > MAX_LENGTH_FIELD)
    throw new IsccFormatError('The bits of a unit are 32 to 256, a multiple of 32.');
  return Uint8Array.from([...header([mainType, subType, version, length]), ...body]);
}

/** `ISCC:` and base32 without padding. */
export function printUnit(unit: IsccUnit): string {
  return `ISCC:${encodeBase32(unitBytes(unit))}`;
}

/**
 * Reads the printed form of one or more units.
 * @throws IsccFormatError
 */
export function parsePrinted(text: string): IsccUnit[] {
  const digits = PRINTED.exec(text)?.[1];
  const bytes = digits === undefined ? undefined : decodeBase32(digits);
  if (bytes === undefined) throw new IsccFormatError('This is not "ISCC:" and base32.');
  return parseSequence(bytes);
}

/**
 * Units one after the other without separators (IEP-0020 "ISCC-SEQ Format" and "Decoding"). A unit of an unknown
 * subtype or version is kept: its length is known all the same.
 * @throws IsccFormatError for anything that is not exactly such a sequence
 */
export function parseSequence(bytes: Uint8Array): IsccUnit[] {
  if (bytes.length === 0) throw new IsccFormatError('There is no unit in it.');
  if (bytes.length > MAX_SEQUENCE_BYTES) throw new IsccFormatError('There are too many units in it.');
  const units: IsccUnit[] = [];
  for (let offset = 0; offset < bytes.length;) {
    const { fields, end } = readHeader(bytes, offset);
    const [mainType = 0, subType = 0, version = 0, length = 0] = fields;
    if (mainType > MAIN_TYPES.instance) throw new IsccFormatError('It holds something that is not a unit.');
    if (length > MAX_LENGTH_FIELD) throw new IsccFormatError('A unit is longer than 256 bits.');
    const bodyEnd = end + 4 * (length + 1);
    if (bodyEnd > bytes.length) throw new IsccFormatError('A unit is cut off.');
    units.push({ mainType, subType, version, body: bytes.slice(end, bodyEnd) });
    offset = bodyEnd;
  }
  return units;
}

/**
 * Four numbers as nibbles of variable count (ISO 24138:2024, IEP-0001 table 1): prefix bits 0, 10, 110, 1110 announce 1
 * to 4 nibbles with 3, 6, 9, 12 bits of the number less what fewer nibbles can hold. Filled up with a zero nibble.
 */
function header(fields: readonly number[]): Uint8Array {
  const nibbles = fields.flatMap(toNibbles);
  if (nibbles.length % 2 === 1) nibbles.push(0);
  return Uint8Array.from({ length: nibbles.length / 2 }, (_, at) => {
    return ((nibbles[2 * at] ?? 0) << 4) | (nibbles[2 * at + 1] ?? 0);
  });
}

/** The smallest number that needs so many nibbles. */
const RANGE_STARTS = [0, 8, 72, 584] as const;
const RANGE_END = 4680;

function toNibbles(value: number): number[] {
  if (!Number.isInteger(value) || value < 0 || value >= RANGE_END)
    throw new IsccFormatError('A header field is out of range.');
  const extra = RANGE_STARTS.findLastIndex((start) => value >= start);
  const count = extra + 1;
  const prefix = (0xf << (4 - extra)) & 0xf;
  const bits = (prefix << (4 * extra)) | (value - (RANGE_STARTS[extra] ?? 0));
  return Array.from({ length: count }, (_, at) => (bits >> (4 * (count - 1 - at))) & 0xf);
}

function readHeader(bytes: Uint8Array, offset: number): { fields: number[]; end: number } {
  const nibbleAt = (at: number): number => {
    const byte = bytes[offset + (at >> 1)];
    if (byte === undefined) throw new IsccFormatError('A header is cut off.');
    return at % 2 === 0 ? byte >> 4 : byte & 0xf;
  };
  const fields: number[] = [];
  let at = 0;
  for (let field = 0; field < 4; field += 1) {
    const first = nibbleAt(at);
    const extra = [0b1000, 0b0100, 0b0010, 0b0001].findIndex((bit) => (first & bit) === 0);
    if (extra < 0) throw new IsccFormatError('A header field has no known form.');
    let value = first & (0b0111 >> extra);
    for (let more = 1; more <= extra; more += 1) value = (value << 4) | nibbleAt(at + more);
    fields.push(value + (RANGE_STARTS[extra] ?? 0));
    at += extra + 1;
  }
  if (at % 2 === 1) {
    if (nibbleAt(at) !== 0) throw new IsccFormatError('A header is not filled up with zeros.');
    at += 1;
  }
  return { fields, end: offset + at / 2 };
}
