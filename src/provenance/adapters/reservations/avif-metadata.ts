import { addXmp, type MetadataPlaces } from './metadata-places.js';

const XMP_ROOT = Buffer.from('adobe:ns:meta/');
const XMP_ROOT_UTF16 = Buffer.from('adobe:ns:meta/', 'utf16le');

/**
 * AVIF keeps XMP as an item whose place only a full reader of the format finds (ISO/IEC 23008-12): libheif, by way of
 * sharp. It hands over one packet. Where the file holds more roots of packets than that one, the rest is unread.
 * Loaded on demand: most files are of other formats, and the library takes 50 MB.
 */
export async function avifMetadata(file: Buffer): Promise<MetadataPlaces> {
  const { sharp } = await import('../../../assets/adapters/libvips.js');
  const places: MetadataPlaces = { xmp: [], iim: [], xmpUnread: false, iimUnread: false };
  const { xmp } = await sharp(file).metadata();
  if (xmp) addXmp(places, xmp);
  const shown = xmp ? rootsIn(xmp) : 0;
  if (rootsIn(file) > shown) places.xmpUnread = true;
  return places;
}

function rootsIn(bytes: Buffer): number {
  return occurrences(bytes, XMP_ROOT) + occurrences(bytes, XMP_ROOT_UTF16);
}

function occurrences(bytes: Buffer, wanted: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(wanted); at >= 0; at = bytes.indexOf(wanted, at + wanted.length)) count += 1;
  return count;
}
