import { isMpegAudioFrame } from '../../../provenance/domain/detect-media-type.js';
import { ByteCursor, type ByteSource } from '../media-probe/byte-source.js';
import { hasFooter, mpegAudioLayout } from '../media-probe/mpeg-audio-structure.js';
import { type FramingEdit, type MendedFraming, NOTHING_INSERTED } from './mended-framing.js';

const FLAGS_AT = 5;
const FOOTER = 0x10;
const FOOTER_BYTES = 10;

/** More than this between the sound and its tags is no rest of anything. */
const MAX_REST_BYTES = 64 * 1024;

/**
 * The copy of its header behind an ID3v2.4 tag in front goes, which serves to find tags from behind and says nothing of its
 * own; so do bytes between the last frame and the tags behind it, unless a frame may begin among them: players go on where
 * they find the next one.
 *
 * @returns `undefined` where sound may follow what is no sound
 */
export async function mendMpegAudio(source: ByteSource): Promise<MendedFraming | undefined> {
  const { firstTagEnd, framesEnd, soundEnd } = await mpegAudioLayout(
    new ByteCursor(source),
    source.sizeBytes,
  );
  const edits: FramingEdit[] = [];
  const removed: string[] = [];
  const header = await source.read(0, 10);
  if (firstTagEnd > 0 && hasFooter(header)) {
    edits.push({ offset: FLAGS_AT, remove: 1, insert: Uint8Array.of((header[FLAGS_AT] ?? 0) & ~FOOTER) });
    edits.push({ offset: firstTagEnd - FOOTER_BYTES, remove: FOOTER_BYTES, insert: NOTHING_INSERTED });
    removed.push('footer of the tag');
  }
  if (framesEnd < soundEnd) {
    if (await mayHoldSound(source, framesEnd, soundEnd)) return undefined;
    edits.push({ offset: framesEnd, remove: soundEnd - framesEnd, insert: NOTHING_INSERTED });
    removed.push('bytes behind the end of the sound');
  }
  return { edits, removed, added: [] };
}

async function mayHoldSound(source: ByteSource, start: number, end: number): Promise<boolean> {
  if (end - start > MAX_REST_BYTES) return true;
  const rest = await source.read(start, end - start);
  return rest.some((_byte, at) => at + 4 <= rest.length && isMpegAudioFrame(rest.subarray(at, at + 4)));
}
