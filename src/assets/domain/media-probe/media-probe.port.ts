import type { NormalizedPicture } from '../picture-fingerprint.js';
import type { MediaKind, SignableMediaType } from '../../../provenance/domain/media-types.js';

/** What is in a file. What a medium does not have is `undefined`: a sound has no width. */
export interface MediaShape {
  readonly kind: MediaKind;
  /** Pixels of one frame as a viewer shows it, i.e. with the orientation applied. */
  readonly width?: number | undefined;
  readonly height?: number | undefined;
  /** Of films and sounds, as the container declares it. */
  readonly durationMs?: number | undefined;
}

export interface ProbedMedia extends MediaShape {
  readonly mediaType: SignableMediaType;
  /** 1 unless the picture is animated; for films it is not counted and 1. */
  readonly frames: number;
  readonly sizeBytes: number;
  /** What a still picture looks like: it was decoded anyway. Absent where that did not give it, e.g. for animations. */
  readonly picture?: NormalizedPicture | undefined;
}

/** Finds out what a file really is, and refuses what is not a whole, safe file of a supported kind. */
export interface MediaProbe {
  /**
   * Decides by bytes, never by name or declared type. Limits are checked from headers before anything is decoded. Still
   * pictures of the kinds that steps work on are then decoded once to the end, so a truncated one is found here and not
   * by a customer; of all others the structure is walked to the end of the file.
   * @throws ColophonError `unsupported_media`, `media_corrupt`, `media_too_large` or `media_not_allowed`: about the file;
   *   `reader_unavailable` or `rate_limited`: about us, nothing is known of the file
   */
  probe(source: { readonly path: string }): Promise<ProbedMedia>;
}
