import { type SignableMediaType } from '../../../provenance/domain/media-types.js';
import { ColophonError } from '../../../shared/errors.js';
import { ByteCursor, type ByteSource } from './byte-source.js';
import { checkFilm } from './film-structure.js';
import { checkFlac } from './flac-structure.js';
import { checkGlb, checkGltf } from './gltf-structure.js';
import { checkHeif } from './heif-structure.js';
import { checkJpegXl } from './jpeg-xl-structure.js';
import { checkMatroska } from './matroska-structure.js';
import { type MediaShape } from './media-probe.port.js';
import { checkMpegAudio } from './mpeg-audio-structure.js';
import { checkOgg } from './ogg-structure.js';
import { refusePolyglot } from './polyglot.js';
import { type StillImageType } from './still-image-type.js';
import { checkSvg } from './svg-structure.js';
import { checkObject, checkStl, checkText } from './text-structure.js';
import { checkUsdz } from './usdz-structure.js';
import { checkWav } from './wav-structure.js';

type Check = (source: ByteSource, cursor: ByteCursor) => Promise<MediaShape>;

const film: Check = ({ sizeBytes }, cursor) => checkFilm(cursor, sizeBytes);
const matroska: Check = ({ sizeBytes }, cursor) => checkMatroska(cursor, sizeBytes);

/** Everything but the still pictures that an image library decodes. */
const CHECKS: Readonly<Record<Exclude<SignableMediaType, StillImageType>, Check>> = {
  'image/heic': ({ sizeBytes }, cursor) => checkHeif(cursor, sizeBytes),
  'image/heif': ({ sizeBytes }, cursor) => checkHeif(cursor, sizeBytes),
  'image/jxl': ({ sizeBytes }, cursor) => checkJpegXl(cursor, sizeBytes),
  'image/svg+xml': (source) => checkSvg(source),
  'video/mp4': film,
  'video/quicktime': film,
  'audio/mp4': film,
  'video/webm': matroska,
  'video/x-matroska': matroska,
  'audio/wav': ({ sizeBytes }, cursor) => checkWav(cursor, sizeBytes),
  'audio/mpeg': ({ sizeBytes }, cursor) => checkMpegAudio(cursor, sizeBytes),
  'audio/flac': (_source, cursor) => checkFlac(cursor),
  'audio/ogg': ({ sizeBytes }, cursor) => checkOgg(cursor, sizeBytes),
  'model/gltf-binary': ({ sizeBytes }, cursor) => checkGlb(cursor, sizeBytes),
  'model/gltf+json': ({ sizeBytes }, cursor) => checkGltf(cursor, sizeBytes),
  'model/obj': (source) => checkObject(source),
  'model/stl': checkStl,
  'model/vnd.usdz+zip': (_source, cursor) => checkUsdz(cursor),
  'text/plain': (source) => checkText(source),
  'application/json': (source) => checkText(source),
};

const MEBIBYTE = 1024 * 1024;
/** Where the signing library holds the whole file in memory, at times more than once (docs/performance.md). */
const MAX_BYTES_IN_MEMORY: Readonly<Partial<Record<SignableMediaType, number>>> = {
  'audio/mpeg': 128 * MEBIBYTE,
  'audio/flac': 128 * MEBIBYTE,
};

/**
 * Walks the structure of a file to its end without decoding it.
 * @throws ColophonError `media_corrupt`, `media_too_large`, `media_not_allowed`, `unsupported_media`
 */
export async function checkMediaStructure(
  mediaType: Exclude<SignableMediaType, StillImageType>,
  source: ByteSource,
): Promise<MediaShape> {
  const maxBytes = MAX_BYTES_IN_MEMORY[mediaType] ?? Number.POSITIVE_INFINITY;
  if (source.sizeBytes > maxBytes) {
    throw new ColophonError(
      'media_too_large',
      `A file of this kind may have at most ${maxBytes / MEBIBYTE} MiB.`,
    );
  }
  if (mediaType !== 'model/vnd.usdz+zip') await refusePolyglot(source);
  return CHECKS[mediaType](source, new ByteCursor(source));
}
