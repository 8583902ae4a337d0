import { ColophonError } from '../../../shared/errors.js';
import { type ByteCursor, damaged, trailingData, truncated } from './byte-source.js';
import { durationOf } from './film-structure.js';
import { view } from './iso-boxes.js';
import { type MediaShape } from './media-probe.port.js';

const PAGE_HEADER_BYTES = 27;
const BEGINS = 0x02;
const ENDS = 0x04;
const MAX_PAGES = 1_000_000;
const MAX_STREAMS = 16;

interface Stream {
  /** Samples a second by which positions are counted; 0 for Speex, whose length is not told. */
  readonly rate: number;
  readonly skipped: number;
  lastPosition: number;
  hasEnded: boolean;
}

/** Ogg (RFC 3533): pages without a gap between them; each stream has a first and a last page. Sound only. */
export async function checkOgg(cursor: ByteCursor, sizeBytes: number): Promise<MediaShape> {
  const streams = new Map<number, Stream>();
  for (let pages = 0; cursor.position < sizeBytes; pages += 1) {
    if (pages >= MAX_PAGES) throw new ColophonError('media_too_large', 'The sound has too many pages.');
    await readPage(cursor, streams);
  }
  if (streams.size === 0 || [...streams.values()].some(({ hasEnded }) => !hasEnded)) throw truncated();
  const lengths = [...streams.values()]
    .filter(({ rate }) => rate > 0)
    .map(({ rate, skipped, lastPosition }) => durationOf(Math.max(0, lastPosition - skipped), rate));
  return {
    kind: 'audio',
    durationMs: lengths.length === 0 ? undefined : lengths.reduce((a, b) => Math.max(a, b)),
  };
}

/** Section 6: mark, version, flags, position (8), stream (4), number (4), checksum (4), table of lengths, content. */
async function readPage(cursor: ByteCursor, streams: Map<number, Stream>): Promise<void> {
  const start = cursor.position;
  if (cursor.remaining < PAGE_HEADER_BYTES) {
    if (await cursor.onlyPaddingFollows()) return;
    throw trailingData();
  }
  const header = view((await cursor.take(PAGE_HEADER_BYTES)).slice());
  if (header.getUint32(0) !== 0x4f676753 || header.getUint8(4) !== 0) {
    cursor.position = start;
    if (await cursor.onlyPaddingFollows()) return;
    throw trailingData();
  }
  const flags = header.getUint8(5);
  const serial = header.getUint32(14);
  const lengths = await cursor.take(header.getUint8(26));
  const contentBytes = lengths.reduce((sum, length) => sum + length, 0);
  const contentAt = cursor.position;
  if (contentBytes > cursor.remaining) throw truncated();
  if ((flags & BEGINS) !== 0) {
    if (streams.has(serial) || streams.size >= MAX_STREAMS)
      throw damaged('The streams of the sound are mixed up.');
    streams.set(serial, readFirstPacket(await cursor.take(Math.min(64, contentBytes))));
  }
  const stream = streams.get(serial);
  if (!stream || stream.hasEnded) throw damaged('The streams of the sound are mixed up.');
  const position = header.getBigInt64(6, true);
  if (position >= 0n && position < BigInt(Number.MAX_SAFE_INTEGER)) stream.lastPosition = Number(position);
  stream.hasEnded = (flags & ENDS) !== 0;
  cursor.position = contentAt + contentBytes;
}

function readFirstPacket(packet: Uint8Array): Stream {
  const state = { lastPosition: 0, hasEnded: false };
  const text = String.fromCharCode(...packet.subarray(0, 16));
  const bytes = view(packet);
  if (text.startsWith('\x01vorbis') && packet.length >= 16)
    return { rate: bytes.getUint32(12, true), skipped: 0, ...state };
  // RFC 7845 section 4: positions count 48,000 a second, and the first samples are not to be heard.
  if (text.startsWith('OpusHead') && packet.length >= 12)
    return { rate: 48_000, skipped: bytes.getUint16(10, true), ...state };
  if (text.startsWith('\x7fFLAC') && packet.length >= 31)
    return { rate: bytes.getUint32(27) >>> 12, skipped: 0, ...state };
  if (text.startsWith('Speex   ')) return { rate: 0, skipped: 0, ...state };
  throw new ColophonError('unsupported_media', 'An Ogg file with something else than sound is not accepted.');
}
