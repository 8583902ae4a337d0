/**
 * An invisible mark in the pixels that survives what strips a manifest. It changes the picture, so it goes in before
 * signing, and the manifest says so (`c2pa.watermarked.bound`, with a `c2pa.soft-binding` assertion).
 */
export interface Watermark {
  /** Name in the C2PA soft binding algorithm list. */
  readonly algorithm: string;
  /** How many bits a mark carries. */
  readonly payloadBits: number;
  /**
   * @param bits as many of `0` and `1` as {@link payloadBits}
   * @returns the marked picture as PNG, same size
   * @throws ColophonError `watermark_unavailable`, `unsupported_media` for a picture with transparency
   */
  embed(path: string, bits: string): Promise<Buffer>;
  /**
   * @returns the bits of the mark; `undefined` when none is found
   * @throws ColophonError `watermark_unavailable`
   */
  detect(path: string): Promise<string | undefined>;
}
