import { type ByteCursor, countBlock, damaged } from './byte-source.js';
import { durationOf } from './film-structure.js';
import { view } from './iso-boxes.js';
import { type MediaShape } from './media-probe.port.js';
import { endOfId3 } from './mpeg-audio-structure.js';

const STREAM_INFO = 0;
const STREAM_INFO_BYTES = 34;

/**
 * FLAC (RFC 9639): a tag if any, the mark, metadata blocks of which the first is STREAMINFO, frames to the end. Where a
 * frame ends only a decoder knows, so what stands behind the last one cannot be told from sound; the signature covers
 * it all the same.
 */
export async function checkFlac(cursor: ByteCursor): Promise<MediaShape> {
  cursor.position = (await endOfId3(cursor)) + 4;
  let durationMs: number | undefined;
  let isLast = false;
  for (let blocks = 0; !isLast; blocks = countBlock(blocks)) {
    const head = view(await cursor.take(4)).getUint32(0);
    const [type, length] = [(head >>> 24) & 0x7f, head & 0xffffff];
    isLast = head >>> 31 === 1;
    if ((blocks === 0) !== (type === STREAM_INFO)) throw damaged('The description of the sound is damaged.');
    if (type === STREAM_INFO) durationMs = await readStreamInfo(cursor, length);
    else cursor.skip(length);
  }
  const [first = 0, second = 0] = await cursor.take(2);
  if (first !== 0xff || (second & 0xfc) !== 0xf8) throw damaged('There is no sound in the FLAC.');
  return { kind: 'audio', durationMs };
}

/** Section 8.2: behind 10 bytes 20 bits sample rate, 3 channels, 5 bits a sample, 36 number of samples (0: unknown). */
async function readStreamInfo(cursor: ByteCursor, length: number): Promise<number | undefined> {
  if (length !== STREAM_INFO_BYTES) throw damaged('The description of the sound is damaged.');
  const info = view(await cursor.take(length));
  const sampleRate = info.getUint32(10) >>> 12;
  const samples = (info.getUint8(13) & 0x0f) * 2 ** 32 + info.getUint32(14);
  if (sampleRate === 0) throw damaged('The description of the sound is damaged.');
  return samples === 0 ? undefined : durationOf(samples, sampleRate);
}
