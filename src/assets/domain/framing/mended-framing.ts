import { detectMediaType } from '../../../provenance/domain/detect-media-type.js';
import { type ByteSource } from '../media-probe/byte-source.js';
import { mendGif } from './gif-framing.js';
import { mendJpeg } from './jpeg-framing.js';
import { mendMpegAudio } from './mpeg-audio-framing.js';

/** `remove` bytes at `offset` give way to `insert`. */
export interface FramingEdit {
  readonly offset: number;
  readonly remove: number;
  readonly insert: Uint8Array;
}

/** What has to change around the picture or the sound of a file so that it is whole and ends where its content does. */
export interface MendedFraming {
  /** In the order of their offsets; they do not overlap. */
  readonly edits: readonly FramingEdit[];
  /** In words, each kind once. */
  readonly removed: readonly string[];
  readonly added: readonly string[];
}

export const NOTHING_INSERTED = new Uint8Array(0);

/**
 * For a file that is paid for and that is refused because of what stands around its content: bytes behind the end, a
 * missing end, the footer of a tag. What is shown or played is not touched, to the byte, and the rule is the same for
 * whoever has the received file. Whether the result is whole is for the probe to say, as of any file.
 *
 * @returns `undefined` where nothing can be mended
 * @throws ColophonError where the content itself is not whole
 */
export async function mendedFraming(source: ByteSource): Promise<MendedFraming | undefined> {
  const mended = await mendedBy(await detectMediaType(source), source);
  return mended === undefined || mended.edits.length === 0 ? undefined : mended;
}

function mendedBy(mediaType: string | undefined, source: ByteSource): Promise<MendedFraming | undefined> {
  if (mediaType === 'image/jpeg') return mendJpeg(source);
  if (mediaType === 'image/gif') return mendGif(source);
  if (mediaType === 'audio/mpeg') return mendMpegAudio(source);
  return Promise.resolve(undefined);
}
