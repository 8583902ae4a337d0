import {
  CONTENT_SUBTYPES,
  type IsccUnit,
  MAIN_TYPES,
  parsePrinted,
  parseSequence,
  unitBytes,
} from './iscc/iscc-unit.js';
import { IsccFormatError } from './iscc/iscc-unit.js';
import { IMAGE_CODE_BYTES, imageUnit } from './iscc/image-code.js';

/** Longest value that is read: 12 units of 256 bits, in any of the forms. */
export const MAX_VALUE_LENGTH = 2_048;

/** Either alphabet of RFC 4648, with padding or without. */
const BASE64 = /^[A-Za-z0-9+/_-]+={0,2}$/;
const PRINTED = /^ISCC:[A-Z2-7]+$/i;

/**
 * The image code in a soft binding value of `io.iscc.v0`. The algorithm list does not say how a value is written; the
 * draft IEP-0020 does, and it is what this program sends: base64 (RFC 4648 section 4, padded) of the units' bytes. Read
 * as well: base64url, missing padding, base64 of the printed form, and the printed form itself.
 *
 * @returns 32 bytes; `undefined` when the value is well-formed and holds no image code of version 0 with 256 bits, which
 *   IEP-0020 tells to ignore
 * @throws IsccFormatError
 */
export function imageCodeInValue(value: string): Uint8Array | undefined {
  const units = unitsInValue(value.trim());
  return units.find(isFullImageCode)?.body;
}

/** The value that this program sends for an image code. */
export function valueOfImageCode(code: Uint8Array): string {
  return Buffer.from(unitBytes(imageUnit(code))).toString('base64');
}

function unitsInValue(value: string): IsccUnit[] {
  if (value.length > MAX_VALUE_LENGTH) throw new IsccFormatError('The value is too long.');
  if (PRINTED.test(value)) return parsePrinted(value);
  // A "+" that nobody escaped comes as a space.
  const text = value.replaceAll(' ', '+');
  if (!BASE64.test(text)) throw new IsccFormatError('The value is not base64.');
  const bytes = Buffer.from(text, 'base64');
  const inside = bytes.toString('latin1');
  return PRINTED.test(inside) ? parsePrinted(inside) : parseSequence(bytes);
}

function isFullImageCode({ mainType, subType, version, body }: IsccUnit): boolean {
  return (
    mainType === MAIN_TYPES.content &&
    subType === CONTENT_SUBTYPES.image &&
    version === 0 &&
    body.length === IMAGE_CODE_BYTES
  );
}
