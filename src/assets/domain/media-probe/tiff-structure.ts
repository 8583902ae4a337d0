import { ColophonError } from '../../../shared/errors.js';
import { type ByteSource, damaged, truncated } from './byte-source.js';

/** Bytes of one value by type (TIFF 6.0 section 2); unknown types are skipped, as the standard asks of readers. */
const VALUE_BYTES = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4];
const MAX_ENTRIES = 4096;
const ENTRY_BYTES = 12;

/**
 * TIFF places its parts by offset and has no end, so appended data cannot be told from its own. What can be checked:
 * every value of the first directory lies inside of the file, and there is no second page. The pixel data and the
 * size in pixels are left to the decoder, which reads the size from the header.
 */
export async function checkTiff(source: ByteSource): Promise<undefined> {
  const head = view(await readExactly(source, 0, 8));
  const littleEndian = head.getUint16(0) === 0x4949;
  const directory = head.getUint32(4, littleEndian);
  const count = view(await readExactly(source, directory, 2)).getUint16(0, littleEndian);
  if (count === 0 || count > MAX_ENTRIES) throw damaged('The directory of the TIFF is damaged.');
  const entries = view(await readExactly(source, directory + 2, count * ENTRY_BYTES + 4));
  for (let i = 0; i < count; i++) {
    const at = i * ENTRY_BYTES;
    const bytes =
      (VALUE_BYTES[entries.getUint16(at + 2, littleEndian)] ?? 0) * entries.getUint32(at + 4, littleEndian);
    if (bytes <= 4) continue;
    if (entries.getUint32(at + 8, littleEndian) + bytes > source.sizeBytes) throw truncated();
  }
  if (entries.getUint32(count * ENTRY_BYTES, littleEndian) !== 0) {
    throw new ColophonError('unsupported_media', 'A TIFF of several pages is not a still picture.');
  }
  return undefined;
}

async function readExactly(source: ByteSource, offset: number, length: number): Promise<Uint8Array> {
  const bytes = await source.read(offset, length);
  if (bytes.length < length) throw truncated();
  return bytes;
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
