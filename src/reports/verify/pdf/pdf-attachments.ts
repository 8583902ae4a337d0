import { inflateSync } from 'node:zlib';
import { type PdfFile, type PdfObject } from './pdf-file.js';
import { ForeignForm, isDictionary, nameIn } from './pdf-values.js';

const MEBIBYTE = 1024 * 1024;

/** All attachments together, unpacked. */
const MAX_ATTACHED_BYTES = 256 * MEBIBYTE;
const MAX_ATTACHMENTS = 64;

export interface ReadAttachment {
  readonly relationship: string;
  readonly bytes: Buffer;
}

/** The attachments by their names, unpacked to the sizes that they declare. @throws ForeignForm */
export function readAttachments(pdf: PdfFile): ReadonlyMap<string, ReadAttachment> {
  const attachments = new Map<string, ReadAttachment>();
  let room = MAX_ATTACHED_BYTES;
  for (const { name, relationship, file } of pdf.attachments()) {
    if (attachments.size === MAX_ATTACHMENTS)
      throw new ForeignForm('it has more attachments than our reports');
    const bytes = unpack(file, room);
    room -= bytes.length;
    attachments.set(name, { relationship, bytes });
  }
  return attachments;
}

function unpack({ value, stream }: PdfObject, room: number): Buffer {
  const parameters = isDictionary(value) ? value.get('Params') : undefined;
  const size = isDictionary(parameters) ? parameters.get('Size') : undefined;
  const isOurs =
    isDictionary(value) &&
    nameIn(value, 'Type') === 'EmbeddedFile' &&
    nameIn(value, 'Filter') === 'FlateDecode';
  if (!isOurs || value.has('DecodeParms') || stream === undefined || typeof size !== 'number')
    throw new ForeignForm('an attachment is of another kind than ours');
  if (size > room) throw new ForeignForm('its attachments are larger than is read');
  try {
    // One byte at least: the library takes no limit of none.
    const bytes = inflateSync(stream, { maxOutputLength: Math.max(1, size) });
    if (bytes.length === size) return bytes;
  } catch {
    throw new ForeignForm('an attachment cannot be unpacked');
  }
  throw new ForeignForm('an attachment is not as long as it says');
}
