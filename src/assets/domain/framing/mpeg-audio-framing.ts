import { ByteCursor, type ByteSource } from '../media-probe/byte-source.js';
import { hasFooter, mpegAudioLayout } from '../media-probe/mpeg-audio-structure.js';
import { type FramingEdit, type MendedFraming, NOTHING_INSERTED } from './mended-framing.js';

const FLAGS_AT = 5;
const FOOTER = 0x10;
const FOOTER_BYTES = 10;

/**
 * The copy of its header behind an ID3v2.4 tag in front goes, which serves to find tags from behind and says nothing of its
 * own; so do bytes between the last frame and the tags behind it.
 */
export async function mendMpegAudio(source: ByteSource): Promise<MendedFraming> {
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
    edits.push({ offset: framesEnd, remove: soundEnd - framesEnd, insert: NOTHING_INSERTED });
    removed.push('bytes behind the end of the sound');
  }
  return { edits, removed, added: [] };
}
