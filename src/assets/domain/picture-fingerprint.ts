/** C2PA soft binding algorithm list, entry 3: ISO 24138:2024, ISCC version 0. */
export const FINGERPRINT_ALGORITHM = 'io.iscc.v0';
/** Of how a picture becomes 32 x 32 gray values, which the standard leaves open in part. */
export const NORMALIZATION_VERSION = 1;

/** Side of the square of gray values that a code is made of. */
export const NORMALIZED_SIDE = 32;

/** Longest side of a small copy, in pixels. */
export const THUMBNAIL_SIDE = 256;
/** Of JPEG at that size; more is no thumbnail of ours. */
export const MAX_THUMBNAIL_BYTES = 200_000;

/** A picture as 32 x 32 gray values from 0 to 255, row by row: once with even borders cut, once with nothing cut. */
export interface NormalizedPicture {
  readonly trimmed: Uint8Array;
  readonly whole: Uint8Array;
  /** JPEG with at most {@link THUMBNAIL_SIDE} pixels a side, turned upright, white where the picture is transparent. */
  readonly thumbnail: Uint8Array;
}

/** Decodes a picture of anybody, away from this process. */
export interface PictureNormalizer {
  /** @throws ColophonError `media_corrupt`, `media_too_large`; `rate_limited` when too many wait */
  normalize(path: string): Promise<NormalizedPicture>;
}

/**
 * What a picture looks like, twice 32 bytes: similar pictures differ in few bits. `trimmed` is the code of the standard,
 * after even borders were cut. Where a border ends is unsteady, though: a smaller or recompressed copy is cut elsewhere
 * and gets quite another code. So there is `whole` as well, with nothing cut.
 */
export interface PictureFingerprint {
  readonly trimmed: Uint8Array;
  readonly whole: Uint8Array;
}

/** What was seen of a picture when it was decoded once. */
export interface SeenPicture {
  readonly fingerprint: PictureFingerprint;
  /** See {@link NormalizedPicture}. */
  readonly thumbnail: Uint8Array;
}

export interface PictureFingerprinter {
  /**
   * @param path of a file that has passed the media probe
   * @param picture what the probe saw of it; the file is decoded again when it is absent
   * @returns `undefined` when it could not be made, which stands in the output of the service: a picture without a
   *   fingerprint is still recorded and signed, it is only not found again by its looks
   */
  see(path: string, picture?: NormalizedPicture): Promise<SeenPicture | undefined>;
}

/** The codes in it, each once. */
export function codesOf({ trimmed, whole }: PictureFingerprint): Uint8Array[] {
  return Buffer.compare(trimmed, whole) === 0 ? [trimmed] : [trimmed, whole];
}
