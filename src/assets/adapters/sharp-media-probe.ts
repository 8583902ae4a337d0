import { detectMediaType } from '../../provenance/domain/detect-media-type.js';
import { ColophonError, isColophonError } from '../../shared/errors.js';
import { type ByteSource } from '../domain/media-probe/byte-source.js';
import {
  assertWithinLimits,
  MAX_PIXELS_TOTAL,
  type PictureSize,
} from '../domain/media-probe/media-limits.js';
import type { MediaProbe, ProbedMedia } from '../domain/media-probe/media-probe.port.js';
import { checkMediaStructure } from '../domain/media-probe/media-structure.js';
import { checkStructure } from '../domain/media-probe/picture-structure.js';
import {
  describeUnsupported,
  isStillImageType,
  SNIFF_BYTES,
  sniffStillImage,
  type StillImageType,
} from '../domain/media-probe/still-image-type.js';
import { type NormalizedPicture } from '../domain/picture-fingerprint.js';
import { decodingStrictness, type DecodingStrictness } from './decoding-strictness.js';
import { sharp } from './libvips.js';
import { normalizePicture } from './normalize-picture.js';
import { bufferSource, withFile } from './opened-source.js';

/**
 * A picture within the limits decodes in a few seconds; one that takes longer was made to. Below the time after which the
 * process that decodes is ended, so that it can still say why.
 */
const DECODE_TIMEOUT_SECONDS = 25;

/**
 * Probes with our own structure walk first and, for still pictures, libvips afterwards: the library only sees what
 * passed the walk, and only what it is trusted with. In the service this runs in a child process: see
 * {@link IsolatedMediaProbe}.
 */
export class SharpMediaProbe implements MediaProbe {
  async probe(source: { readonly path: string } | { readonly bytes: Uint8Array }): Promise<ProbedMedia> {
    return 'bytes' in source
      ? probeWith(bufferSource(source.bytes), source.bytes)
      : withFile(source.path, (bytes) => probeWith(bytes, source.path));
  }
}

async function probeWith(source: ByteSource, input: string | Uint8Array): Promise<ProbedMedia> {
  const head = await source.read(0, SNIFF_BYTES);
  const mediaType = sniffStillImage(head);
  return mediaType ? probeStill(mediaType, source, input) : probeOther(source, head);
}

async function probeOther(source: ByteSource, head: Uint8Array): Promise<ProbedMedia> {
  const mediaType = await detectMediaType(source);
  if (mediaType === undefined || isStillImageType(mediaType)) {
    throw new ColophonError('unsupported_media', describeUnsupported(head));
  }
  const shape = await checkMediaStructure(mediaType, source);
  return { mediaType, ...shape, frames: 1, sizeBytes: source.sizeBytes };
}

async function probeStill(
  mediaType: StillImageType,
  source: ByteSource,
  input: string | Uint8Array,
): Promise<ProbedMedia> {
  const declared = await checkStructure(mediaType, source);
  const strictness = await decodingStrictness(input);
  try {
    const size = await readHeader(input, mediaType, strictness);
    assertWithinLimits({ ...size, frames: Math.max(size.frames, declared?.frames ?? 1) });
    const picture = size.frames > 1 ? undefined : await lookAt(input);
    if (picture === undefined) await decodeToEnd(input, size.frames > 1, strictness);
    return { mediaType, kind: 'image', ...size, sizeBytes: source.sizeBytes, picture };
  } catch (error) {
    throw asMediaError(error);
  }
}

function openImage(input: string | Uint8Array, animated: boolean, failOn: DecodingStrictness) {
  return sharp(input, {
    limitInputPixels: MAX_PIXELS_TOTAL,
    failOn,
    sequentialRead: true,
    animated,
  });
}

/** Size and frames from the header; libvips decodes no pixel for this. */
async function readHeader(
  input: string | Uint8Array,
  mediaType: StillImageType,
  strictness: DecodingStrictness,
): Promise<PictureSize> {
  const header = await openImage(input, false, strictness).metadata();
  const frames = header.pages ?? 1;
  if (frames > 1 && (mediaType === 'image/tiff' || mediaType === 'image/avif')) {
    throw new ColophonError(
      'unsupported_media',
      'A file with several pages or pictures is not a still picture.',
    );
  }
  return { width: header.autoOrient.width, height: header.autoOrient.height, frames };
}

/**
 * Decodes every row of a picture of one frame, and keeps what it looks like: whoever signs the file would decode it once
 * more for that. `undefined` when it cannot be had; whether the file is damaged, {@link decodeToEnd} says.
 */
async function lookAt(input: string | Uint8Array): Promise<NormalizedPicture | undefined> {
  try {
    return await normalizePicture(input);
  } catch (error) {
    // There is no time for a second attempt.
    if (isTimeout((error as Error).cause)) throw (error as Error).cause;
    return undefined;
  }
}

function isTimeout(error: unknown): boolean {
  return error instanceof Error && /timeout/i.test(error.message);
}

/**
 * Every row of every frame is decoded and thrown away: scaling to 16 x 16 with area averaging needs all of them, but
 * lets the formats that decode by rows do so in a small window. JPEG may shrink by DCT on the way; it reads the whole
 * stream nevertheless.
 */
async function decodeToEnd(
  input: string | Uint8Array,
  animated: boolean,
  strictness: DecodingStrictness,
): Promise<void> {
  await openImage(input, animated, strictness)
    .timeout({ seconds: DECODE_TIMEOUT_SECONDS })
    .resize(16, 16, { fit: 'fill' })
    .raw()
    .toBuffer();
}

/** Messages of the libraries go to the cause: they may name paths of this machine. */
function asMediaError(error: unknown): ColophonError {
  if (isColophonError(error)) return error;
  const message = error instanceof Error ? error.message : '';
  if (/pixel limit|too large|exceeds|timeout/i.test(message)) {
    return new ColophonError(
      'media_too_large',
      'The picture needs more pixels or time to decode than is allowed.',
      {
        cause: error,
      },
    );
  }
  return new ColophonError('media_corrupt', 'The picture cannot be decoded to its end.', { cause: error });
}
