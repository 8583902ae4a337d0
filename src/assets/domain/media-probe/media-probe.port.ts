import type { StillImageType } from './still-image-type.js';

export interface ProbedMedia {
  readonly mediaType: StillImageType;
  /** Pixels of one frame as a viewer shows it, i.e. with the EXIF orientation applied. */
  readonly width: number;
  readonly height: number;
  /** 1 unless the picture is animated. */
  readonly frames: number;
  readonly sizeBytes: number;
}

export type MediaSource = { readonly path: string } | { readonly bytes: Uint8Array };

/** Finds out what a file really is, and refuses what is not a whole, safe still image. */
export interface MediaProbe {
  /**
   * Decides by bytes, never by name or declared type. Limits are checked from the header before anything is decoded;
   * then the picture is decoded once to the end, so a truncated file is found here and not by a customer.
   * @throws ColophonError `unsupported_media`, `media_corrupt` or `media_too_large`
   */
  probe(source: MediaSource): Promise<ProbedMedia>;
}
