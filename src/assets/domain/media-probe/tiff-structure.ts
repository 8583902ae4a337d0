import { ColophonError } from '../../../shared/errors.js';
import { type ByteSource, damaged, truncated } from './byte-source.js';

/** Bytes of one value by type (TIFF 6.0 section 2); unknown types are skipped, as the standard asks of readers. */
const VALUE_BYTES = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4];
const MAX_ENTRIES = 4096;
const ENTRY_BYTES = 12;
/** Of a C2PA manifest store. */
const MANIFEST_TAG = 52_545;

/**
 * TIFF places its parts by offset and has no end, so appended data cannot be told from its own. What can be checked:
 * every value of the first directory lies inside of the file, and there is no second page. The pixel data and the
 * size in pixels are left to the decoder, which reads the size from the header.
 *
 * A last directory that holds a C2PA manifest and nothing else is no page: since version 1.4 the specification wants the
 * manifest there (annex A "Embedding manifests into TIFF-based assets").
 */
export async function checkTiff(source: ByteSource): Promise<undefined> {
  const { directory, littleEndian } = await headerOf(source);
  const { count, entries, next } = await directoryAt(source, directory, littleEndian);
  if (count === 0 || count > MAX_ENTRIES) throw damaged('The directory of the TIFF is damaged.');
  for (let i = 0; i < count; i++) {
    const at = i * ENTRY_BYTES;
    const bytes =
      (VALUE_BYTES[entries.getUint16(at + 2, littleEndian)] ?? 0) * entries.getUint32(at + 4, littleEndian);
    if (bytes <= 4) continue;
    if (entries.getUint32(at + 8, littleEndian) + bytes > source.sizeBytes) throw truncated();
  }
  if (next !== 0 && !(await isOfManifest(source, next, littleEndian))) {
    throw new ColophonError('unsupported_media', 'A TIFF of several pages is not a still picture.');
  }
  return undefined;
}

/**
 * Whether a TIFF has its manifest in a directory of its own. libtiff reports such a directory as a page that lacks its
 * size, so a decoder that takes each report for damage cannot open the file.
 */
export async function hasManifestDirectory(source: ByteSource): Promise<boolean> {
  const { directory, littleEndian, isTiff } = await headerOf(source);
  if (!isTiff) return false;
  const { next } = await directoryAt(source, directory, littleEndian);
  return next !== 0 && isOfManifest(source, next, littleEndian);
}

async function isOfManifest(source: ByteSource, offset: number, littleEndian: boolean): Promise<boolean> {
  const { count, entries, next } = await directoryAt(source, offset, littleEndian);
  return count === 1 && next === 0 && entries.getUint16(0, littleEndian) === MANIFEST_TAG;
}

async function headerOf(source: ByteSource) {
  const head = view(await readExactly(source, 0, 8));
  const littleEndian = head.getUint16(0) === 0x4949;
  const isTiff = (littleEndian || head.getUint16(0) === 0x4d4d) && head.getUint16(2, littleEndian) === 42;
  return { isTiff, littleEndian, directory: head.getUint32(4, littleEndian) };
}

/** The number of entries, the entries, the offset of the next directory. */
async function directoryAt(source: ByteSource, offset: number, littleEndian: boolean) {
  const count = view(await readExactly(source, offset, 2)).getUint16(0, littleEndian);
  const entries = view(await readExactly(source, offset + 2, count * ENTRY_BYTES + 4));
  return { count, entries, next: entries.getUint32(count * ENTRY_BYTES, littleEndian) };
}

async function readExactly(source: ByteSource, offset: number, length: number): Promise<Uint8Array> {
  const bytes = await source.read(offset, length);
  if (bytes.length < length) throw truncated();
  return bytes;
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
