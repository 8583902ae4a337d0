import { z } from 'zod';
import { MEDIA_KINDS, SIGNABLE_MEDIA_TYPES } from '../../provenance/domain/media-types.js';
import { ColophonError } from '../../shared/errors.js';
import { type MediaProbe, type ProbedMedia } from '../domain/media-probe/media-probe.port.js';
import { checkStructure } from '../domain/media-probe/picture-structure.js';
import {
  MAX_THUMBNAIL_BYTES,
  NORMALIZED_SIDE,
  type NormalizedPicture,
  type PictureNormalizer,
  THUMBNAIL_SIDE,
} from '../domain/picture-fingerprint.js';

/** Decodes files in a process that has no network, no secrets and a bounded memory and time. */
export interface IsolatedDecoder {
  /** @throws ColophonError as {@link MediaProbe} */
  probe(path: string): Promise<unknown>;
  /** Base64 of pixels and thumbnail. @throws ColophonError as {@link PictureNormalizer} */
  normalizedPixels(path: string): Promise<PicturePixels>;
}

interface PicturePixels {
  readonly trimmed: string;
  readonly whole: string;
  readonly thumbnail: string;
}

const count = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const probedMedia = z.object({
  mediaType: z.enum(SIGNABLE_MEDIA_TYPES),
  kind: z.enum(MEDIA_KINDS),
  width: count.optional(),
  height: count.optional(),
  durationMs: z.number().nonnegative().optional(),
  frames: count,
  sizeBytes: count,
  picture: z.object({ trimmed: z.string(), whole: z.string(), thumbnail: z.string() }).optional(),
});

/** What a child process answers is checked again: the file that it decoded may have taken it over. */
export class IsolatedMediaProbe implements MediaProbe, PictureNormalizer {
  constructor(private readonly decoder: IsolatedDecoder) {}

  async probe({ path }: { readonly path: string }): Promise<ProbedMedia> {
    const answer = probedMedia.safeParse(await this.decoder.probe(path));
    if (!answer.success)
      throw new ColophonError('media_corrupt', 'The file cannot be looked at safely.', {
        cause: answer.error,
      });
    const { picture, ...media } = answer.data;
    return { ...media, ...(picture && { picture: await checkedPicture(picture) }) };
  }

  async normalize(path: string): Promise<NormalizedPicture> {
    return checkedPicture(await this.decoder.normalizedPixels(path));
  }
}

async function checkedPicture({ trimmed, whole, thumbnail }: PicturePixels): Promise<NormalizedPicture> {
  return {
    trimmed: grayValues(trimmed),
    whole: grayValues(whole),
    thumbnail: await checkedThumbnail(thumbnail),
  };
}

/** It is shown to others under our signature: a small JPEG and nothing else, whatever the child has become. */
async function checkedThumbnail(base64: unknown): Promise<Uint8Array> {
  const bytes = typeof base64 === 'string' ? Buffer.from(base64, 'base64') : Buffer.alloc(0);
  if (bytes.length > MAX_THUMBNAIL_BYTES) throw incomparable();
  const size = await checkStructure('image/jpeg', {
    sizeBytes: bytes.length,
    read: (offset, length) => Promise.resolve(bytes.subarray(offset, offset + length)),
  }).catch((cause: unknown) => {
    throw incomparable(cause);
  });
  if (size === undefined || Math.max(size.width, size.height) > THUMBNAIL_SIDE) throw incomparable();
  return bytes;
}

function grayValues(base64: unknown): Uint8Array {
  const pixels = typeof base64 === 'string' ? Buffer.from(base64, 'base64') : Buffer.alloc(0);
  if (pixels.length === NORMALIZED_SIDE ** 2) return pixels;
  throw incomparable();
}

function incomparable(cause?: unknown): ColophonError {
  return new ColophonError('media_corrupt', 'The picture cannot be compared with others.', { cause });
}
