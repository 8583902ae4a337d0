/** What is left of a file when everything was taken out that is not needed to show or play it. */
export interface CleanedParts {
  readonly kept: readonly Buffer[];
  /** Names of what was left out: kinds of its parts, never a word that stood in them. */
  readonly removed: readonly string[];
  /** A C2PA manifest is there, whose hashes cover the parts. */
  readonly hasManifest: boolean;
  /** What lies compressed in the kept parts. */
  readonly inflated?: readonly Buffer[];
}

/** The file cannot be passed on, and cannot be cleaned either. */
export class UncleanableFileError extends Error {}

export function unreadable(): UncleanableFileError {
  return new UncleanableFileError('the file is damaged, so the prompt in it cannot be looked for');
}

/** A picture that its EXIF turns would lie on its side without it. */
export function requireUpright(exif: Buffer): void {
  if (orientationOf(exif) > 1)
    throw new UncleanableFileError('the file is turned by its EXIF, which can hold the prompt');
}

const ORIENTATION = 0x0112;
const ENTRY_BYTES = 12;

/** From the first directory of a TIFF structure (TIFF 6.0 section 2). 1 is upright, and what is left unsaid. */
function orientationOf(tiff: Buffer): number {
  const order = tiff.toString('latin1', 0, 2);
  if (tiff.length < 14 || (order !== 'II' && order !== 'MM')) return 1;
  const uint16 = (at: number) => (order === 'II' ? tiff.readUInt16LE(at) : tiff.readUInt16BE(at));
  const directory = order === 'II' ? tiff.readUInt32LE(4) : tiff.readUInt32BE(4);
  if (directory + 2 > tiff.length) return 1;
  for (let entry = 0, at = directory + 2; entry < uint16(directory); entry += 1, at += ENTRY_BYTES) {
    if (at + ENTRY_BYTES > tiff.length) return 1;
    if (uint16(at) === ORIENTATION) return uint16(at + 8);
  }
  return 1;
}
