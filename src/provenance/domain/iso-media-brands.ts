import { type SignableMediaType } from './media-types.js';

/** Major brands of sequences of pictures, which are neither still pictures nor films that a player opens. */
const SEQUENCE_BRANDS = ['avis', 'hevc', 'hevx', 'hevm', 'hevs', 'msf1'];
const HEIC_BRANDS = ['heic', 'heix', 'heim', 'heis'];
const M4A_BRANDS = ['M4A ', 'M4B '];
/** ISO/IEC 14496-12 annex E and 14496-14; `M4V ` is Apple's. */
const MP4_BRAND = /^(iso[m2-9]|mp4[12]|avc1|M4V )$/;
const TYPE_BOX = 'ftyp';

/** Whether the file begins with a FileTypeBox (ISO/IEC 14496-12 section 4.3). */
export function isIsoMedia(head: Buffer): boolean {
  return head.toString('latin1', 4, 8) === TYPE_BOX;
}

/**
 * Size, "ftyp", major brand, minor version, compatible brands. The major brand decides where it says what the file is;
 * `mif1` and unknown ones leave it to the compatible brands.
 */
export function isoMediaType(head: Buffer): SignableMediaType | undefined {
  const [major = '', ...compatible] = brandsOf(head);
  const brands = [major, ...compatible];
  if (SEQUENCE_BRANDS.includes(major)) return undefined;
  if (major === 'avif') return 'image/avif';
  if (HEIC_BRANDS.includes(major)) return 'image/heic';
  if (major === 'mif1' || major === 'miaf') {
    if (brands.includes('avif')) return 'image/avif';
    return brands.some((brand) => HEIC_BRANDS.includes(brand)) ? 'image/heic' : 'image/heif';
  }
  if (major === 'qt  ') return 'video/quicktime';
  if (M4A_BRANDS.includes(major)) return 'audio/mp4';
  // Mobile phones' own container has a media type of its own, which the library does not know.
  if (major.startsWith('3g')) return undefined;
  return brands.some((brand) => MP4_BRAND.test(brand)) ? 'video/mp4' : undefined;
}

function brandsOf(head: Buffer): string[] {
  const brands: string[] = [];
  const end = Math.min(head.readUInt32BE(0), head.length);
  for (let offset = 8; offset + 4 <= end; offset += 4) {
    const isMinorVersion = offset === 12;
    if (!isMinorVersion) brands.push(head.toString('latin1', offset, offset + 4));
  }
  return brands;
}
