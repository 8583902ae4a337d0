import { addExif, addXmp, type MetadataPlaces, noPlaces, XMP_ITEM } from './metadata-places.js';

/** The vocabulary that every packet must declare for its `rdf:RDF` (ISO 16684-1 section 7.4). */
const RDF = '22-rdf-syntax-ns#';
const DECLARATION = Buffer.from(RDF);
const DECLARATION_UTF16 = Buffer.from(RDF, 'utf16le');

/**
 * AVIF keeps XMP as an item whose place only a full reader of the format finds (ISO/IEC 23008-12): libheif, by way of
 * sharp. It hands over one packet. Where the file declares the vocabulary of packets more often than that one does, the rest is unread.
 * Loaded on demand: most files are of other formats, and the library takes 50 MB.
 */
export async function avifMetadata(file: Buffer): Promise<MetadataPlaces> {
  const { sharp } = await import('../../../assets/adapters/libvips.js');
  const places = noPlaces();
  const { xmp, exif } = await sharp(file).metadata();
  if (exif) addExif(places, exif);
  if (xmp) addXmp(places, xmp);
  const shown = xmp ? declarationsIn(xmp) : 0;
  // A compressed item is declared, but its vocabulary is not seen.
  const items = occurrences(file, XMP_ITEM);
  if (declarationsIn(file) > shown || items > places.xmp.length) places.xmpUnread = true;
  return places;
}

function declarationsIn(bytes: Buffer): number {
  return occurrences(bytes, DECLARATION) + occurrences(bytes, DECLARATION_UTF16);
}

function occurrences(bytes: Buffer, wanted: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(wanted); at >= 0; at = bytes.indexOf(wanted, at + wanted.length)) count += 1;
  return count;
}
