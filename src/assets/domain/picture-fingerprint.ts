/** C2PA soft binding algorithm list, entry 3: ISO 24138:2024, ISCC version 0. */
export const FINGERPRINT_ALGORITHM = 'io.iscc.v0';
/** Of how a picture becomes 32 x 32 gray values, which the standard leaves open in part. */
export const NORMALIZATION_VERSION = 1;

export interface PictureFingerprinter {
  /**
   * What a picture looks like, as 256 bits: similar pictures differ in few of them. The file has passed the media probe.
   * @returns 32 bytes; `undefined` when it could not be made, which stands in the output of the service: a picture
   *   without a fingerprint is still recorded and signed, it is only not found again by its looks
   */
  fingerprint(path: string): Promise<Uint8Array | undefined>;
}
