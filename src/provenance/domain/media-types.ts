/** The media types into which a manifest can be embedded and from which it can be read back here. */
export const EMBEDDABLE_MEDIA_TYPES = [
  'image/png',
  'image/jpeg',
  'image/webp',
  'image/avif',
  'image/tiff',
  'image/gif',
] as const;

export type EmbeddableMediaType = (typeof EMBEDDABLE_MEDIA_TYPES)[number];

/** ISO base media file format brands which mean AVIF (AV1 Image File Format section 6). */
const AVIF_BRANDS = ['avif', 'avis'];

/** How many leading bytes {@link detectMediaType} wants to see. */
export const DETECTION_BYTES = 64;

/**
 * What the bytes are, from their first {@link DETECTION_BYTES} bytes; the name and the declared type decide nothing.
 * `undefined` for everything that cannot carry a manifest here.
 */
export function detectMediaType(head: Buffer): EmbeddableMediaType | undefined {
  const latin1 = head.toString('latin1');
  if (latin1.startsWith('\x89PNG\r\n\x1a\n')) return 'image/png';
  if (latin1.startsWith('\xff\xd8\xff')) return 'image/jpeg';
  if (latin1.startsWith('GIF87a') || latin1.startsWith('GIF89a')) return 'image/gif';
  if (latin1.startsWith('II*\0') || latin1.startsWith('MM\0*')) return 'image/tiff';
  if (latin1.startsWith('RIFF') && latin1.slice(8, 12) === 'WEBP') return 'image/webp';
  if (latin1.slice(4, 8) === 'ftyp' && hasAvifBrand(head)) return 'image/avif';
  return undefined;
}

/** FileTypeBox: size, "ftyp", major brand, minor version, compatible brands (ISO/IEC 14496-12 section 4.3). */
function hasAvifBrand(head: Buffer): boolean {
  const end = Math.min(head.readUInt32BE(0), head.length);
  for (let offset = 8; offset + 4 <= end; offset += 4) {
    const isMinorVersion = offset === 12;
    if (!isMinorVersion && AVIF_BRANDS.includes(head.toString('latin1', offset, offset + 4))) return true;
  }
  return false;
}
