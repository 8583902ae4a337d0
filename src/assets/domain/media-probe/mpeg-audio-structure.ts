import { id3TagBytes, isMpegAudioFrame } from '../../../provenance/domain/detect-media-type.js';
import { ColophonError } from '../../../shared/errors.js';
import { type ByteCursor, damaged, trailingData, truncated } from './byte-source.js';
import { type MediaShape } from './media-probe.port.js';

/** Some 30 hours of sound. */
const MAX_FRAMES = 5_000_000;
const ID3V1_BYTES = 128;
const APE_HEADER_BYTES = 32;
/** Kilobits a second by the number in the header: MPEG-1 layer III, and MPEG-2 and 2.5 layer III. */
const BITRATES_1 = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
const BITRATES_2 = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
const SAMPLE_RATES_1 = [44_100, 48_000, 32_000];
const MPEG_1 = 3;
const MPEG_2 = 2;

interface Frame {
  readonly bytes: number;
  readonly seconds: number;
}

/** MP3: an ID3v2 tag, if any; frames without a gap between them; at most tags of two old kinds behind them. */
export async function checkMpegAudio(cursor: ByteCursor, sizeBytes: number): Promise<MediaShape> {
  cursor.position = await endOfId3(cursor);
  const end = await startOfOldTags(cursor, sizeBytes);
  let [seconds, frames] = [0, 0];
  for (let at = cursor.position; at < end; frames += 1) {
    if (frames >= MAX_FRAMES) throw new ColophonError('media_too_large', 'The sound has too many frames.');
    cursor.position = at;
    if (end - at < 4 || !isMpegAudioFrame((await cursor.take(4)).slice()))
      return await afterFrames(cursor, at, seconds);
    cursor.position = at;
    const frame = frameOf((await cursor.take(4)).slice());
    if (at + frame.bytes > end) throw truncated();
    seconds += frame.seconds;
    at += frame.bytes;
  }
  return shapeOf(seconds);
}

async function afterFrames(cursor: ByteCursor, at: number, seconds: number): Promise<MediaShape> {
  cursor.position = at;
  if (!(await cursor.onlyPaddingFollows())) throw trailingData();
  return shapeOf(seconds);
}

function shapeOf(seconds: number): MediaShape {
  if (seconds === 0) throw damaged('There is no sound in the MP3.');
  return { kind: 'audio', durationMs: Math.round(seconds * 1000) };
}

/** Behind the tag at the beginning, 0 without one. @throws ColophonError when it is longer than the file */
export async function endOfId3(cursor: ByteCursor): Promise<number> {
  cursor.position = 0;
  const head = await cursor.take(10);
  if (String.fromCharCode(...head.subarray(0, 3)) !== 'ID3') return 0;
  if (![3, 4].includes(head[3] ?? 0)) throw damaged('The tag of the sound is of an unknown version.');
  const end = id3TagBytes(head);
  if (end > cursor.position + cursor.remaining) throw truncated();
  return end;
}

/** ISO/IEC 11172-3 section 2.4.3.1: bytes of a frame = samples / 8 * bitrate / sample rate, and a byte of padding. */
function frameOf([, second = 0, third = 0]: Uint8Array): Frame {
  const version = (second >> 3) & 3;
  const isFirst = version === MPEG_1;
  const kilobits = (isFirst ? BITRATES_1 : BITRATES_2)[third >> 4] ?? 0;
  const halvings = isFirst ? 1 : version === MPEG_2 ? 2 : 4;
  const sampleRate = (SAMPLE_RATES_1[(third >> 2) & 3] ?? 1) / halvings;
  const samples = isFirst ? 1152 : 576;
  const padding = (third >> 1) & 1;
  return {
    bytes: Math.floor(((samples / 8) * kilobits * 1000) / sampleRate) + padding,
    seconds: samples / sampleRate,
  };
}

/** ID3v1 is the last 128 bytes and begins with "TAG"; an APEv2 tag before it ends with a footer that has its length. */
async function startOfOldTags(cursor: ByteCursor, sizeBytes: number): Promise<number> {
  const start = cursor.position;
  let end = sizeBytes;
  if (end - start >= ID3V1_BYTES && (await textAt(cursor, end - ID3V1_BYTES, 3)) === 'TAG')
    end -= ID3V1_BYTES;
  if (end - start >= APE_HEADER_BYTES && (await textAt(cursor, end - APE_HEADER_BYTES, 8)) === 'APETAGEX') {
    cursor.position = end - APE_HEADER_BYTES + 12;
    const [a = 0, b = 0, c = 0] = await cursor.take(4);
    const length = a + b * 256 + c * 65_536;
    const withHeader = length + APE_HEADER_BYTES;
    const hasHeader = end - withHeader >= start && (await textAt(cursor, end - withHeader, 8)) === 'APETAGEX';
    end = Math.max(start, end - (hasHeader ? withHeader : length));
  }
  cursor.position = start;
  return end;
}

async function textAt(cursor: ByteCursor, at: number, length: number): Promise<string> {
  cursor.position = at;
  return String.fromCharCode(...(await cursor.take(length)));
}
