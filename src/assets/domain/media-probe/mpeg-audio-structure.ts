import {
  id3TagBytes,
  isMpegAudioFrame,
  mpegAudioStart,
} from '../../../provenance/domain/detect-media-type.js';
import { ColophonError } from '../../../shared/errors.js';
import { type ByteCursor, damaged, trailingData, truncated } from './byte-source.js';
import { type MediaShape } from './media-probe.port.js';

/** Some 30 hours of sound. */
const MAX_FRAMES = 5_000_000;
const ID3V1_BYTES = 128;
const EXTENDED_ID3V1_BYTES = 227;
const APE_HEADER_BYTES = 32;
const LYRICS_END_BYTES = 15;
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

/** Where the parts of an MP3 lie. */
export interface MpegAudioLayout {
  /** Behind the ID3v2 tag at the beginning; 0 without one. */
  readonly firstTagEnd: number;
  /** Behind the last frame. */
  readonly framesEnd: number;
  /** Where the tags behind the sound begin. */
  readonly soundEnd: number;
  readonly seconds: number;
}

/** MP3: ID3v2 tags, if any; frames without a gap between them; at most tags of the old kinds behind them. */
export async function checkMpegAudio(cursor: ByteCursor, sizeBytes: number): Promise<MediaShape> {
  const { firstTagEnd, framesEnd, soundEnd, seconds } = await mpegAudioLayout(cursor, sizeBytes);
  cursor.position = 0;
  if (firstTagEnd > 0 && hasFooter(await cursor.take(10)))
    throw new ColophonError(
      'unsupported_media',
      'The tag of the sound ends with a copy of its header, and no manifest can be put into such a tag.',
    );
  cursor.position = framesEnd;
  if (framesEnd < soundEnd && !(await cursor.onlyPaddingFollows())) throw trailingData();
  if (seconds === 0) throw damaged('There is no sound in the MP3.');
  return { kind: 'audio', durationMs: Math.round(seconds * 1000) };
}

/** @throws ColophonError `media_corrupt` where the last frame is not whole */
export async function mpegAudioLayout(cursor: ByteCursor, sizeBytes: number): Promise<MpegAudioLayout> {
  const firstTagEnd = await endOfId3(cursor);
  const start = await mpegAudioStart(readerOf(cursor), firstTagEnd);
  const soundEnd = await startOfOldTags(cursor, start, sizeBytes);
  let [seconds, frames, at] = [0, 0, start];
  for (; at < soundEnd; frames += 1) {
    if (frames >= MAX_FRAMES) throw new ColophonError('media_too_large', 'The sound has too many frames.');
    cursor.position = at;
    const header = soundEnd - at < 4 ? new Uint8Array(0) : (await cursor.take(4)).slice();
    if (!isMpegAudioFrame(header)) break;
    const frame = frameOf(header);
    if (at + frame.bytes > soundEnd) throw truncated();
    seconds += frame.seconds;
    at += frame.bytes;
  }
  return { firstTagEnd, framesEnd: at, soundEnd, seconds };
}

/** ID3v2.4 section 3.4: a tag may end with a copy of its header. */
export function hasFooter(header: Uint8Array): boolean {
  return ((header[5] ?? 0) & 0x10) !== 0;
}

function readerOf(cursor: ByteCursor) {
  return async (offset: number, length: number): Promise<Uint8Array> => {
    cursor.position = offset;
    return (await cursor.take(Math.max(0, Math.min(length, cursor.remaining)))).slice();
  };
}

/** Behind the tag at the beginning, 0 without one. @throws ColophonError when it is longer than the file */
export async function endOfId3(cursor: ByteCursor): Promise<number> {
  cursor.position = 0;
  const head = await cursor.take(10);
  if (String.fromCharCode(...head.subarray(0, 3)) !== 'ID3') return 0;
  if (![2, 3, 4].includes(head[3] ?? 0)) throw damaged('The tag of the sound is of an unknown version.');
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

const MAX_OLD_TAGS = 16;

/** Tags of several kinds may stand behind each other; each is known by how it ends. */
async function startOfOldTags(cursor: ByteCursor, start: number, sizeBytes: number): Promise<number> {
  let end = sizeBytes;
  for (let tags = 0; tags < MAX_OLD_TAGS; tags += 1) {
    const length = await lengthOfTagBefore(cursor, start, end);
    if (length === 0 || end - length < start) break;
    end -= length;
  }
  return end;
}

/**
 * ID3v1 has 128 bytes and begins with "TAG", an extension in front of it has 227 and begins with "TAG+"; APEv2, ID3v2.4
 * and Lyrics3 end with their own length.
 */
async function lengthOfTagBefore(cursor: ByteCursor, start: number, end: number): Promise<number> {
  const at = (back: number, length: number): Promise<string> =>
    end - back < start ? Promise.resolve('') : textAt(cursor, end - back, length);
  if ((await at(ID3V1_BYTES, 3)) === 'TAG') return ID3V1_BYTES;
  if ((await at(EXTENDED_ID3V1_BYTES, 4)) === 'TAG+') return EXTENDED_ID3V1_BYTES;
  if ((await at(APE_HEADER_BYTES, 8)) === 'APETAGEX') return apeLength(cursor, start, end);
  const footer = Buffer.from(await at(10, 10), 'latin1');
  if (footer.toString('latin1', 0, 3) === '3DI') return id3TagBytes(footer);
  return lyricsLength(await at(LYRICS_END_BYTES, LYRICS_END_BYTES));
}

async function apeLength(cursor: ByteCursor, start: number, end: number): Promise<number> {
  cursor.position = end - APE_HEADER_BYTES + 12;
  const [a = 0, b = 0, c = 0] = await cursor.take(4);
  const length = a + b * 256 + c * 65_536;
  const withHeader = length + APE_HEADER_BYTES;
  const hasHeader = end - withHeader >= start && (await textAt(cursor, end - withHeader, 8)) === 'APETAGEX';
  return hasHeader ? withHeader : length;
}

/** Lyrics3 2.00: six digits, the length of what stands in front of them, then "LYRICS200". */
function lyricsLength(ending: string): number {
  const digits = /^(\d{6})LYRICS200$/.exec(ending)?.[1];
  return digits === undefined ? 0 : Number(digits) + LYRICS_END_BYTES;
}

async function textAt(cursor: ByteCursor, at: number, length: number): Promise<string> {
  cursor.position = at;
  return String.fromCharCode(...(await cursor.take(length)));
}
