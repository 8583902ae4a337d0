import { ColophonError } from '../../../shared/errors.js';
import { type ByteCursor, countBlock, damaged, trailingData, truncated } from './byte-source.js';
import { durationOf } from './film-structure.js';
import { view } from './iso-boxes.js';
import { assertWithinLimits } from './media-limits.js';
import { type MediaShape } from './media-probe.port.js';

/** Element ids of RFC 9559, with their marker bits. */
const ID = {
  ebml: 0x1a45dfa3,
  segment: 0x18538067,
  info: 0x1549a966,
  tracks: 0x1654ae6b,
  attachments: 0x1941a469,
  timestampScale: 0x2ad7b1,
  duration: 0x4489,
  trackEntry: 0xae,
  trackType: 0x83,
  video: 0xe0,
  pixelWidth: 0xb0,
  pixelHeight: 0xba,
} as const;
/** What else stands in a segment: seek head, cluster, cues, chapters, tags, void, checksum. */
const SEGMENT_PARTS = new Set([0x114d9b74, 0x1f43b675, 0x1c53bb6b, 0x1043a770, 0x1254c367, 0xec, 0xbf]);
const CLUSTER = 0x1f43b675;
const VIDEO = 1;
const AUDIO = 2;
const MAX_DESCRIPTION_BYTES = 16 * 1024 * 1024;
const DEFAULT_SCALE_NS = 1_000_000;

interface Element {
  readonly id: number;
  readonly bodyStart: number;
  readonly end: number;
}

interface Found {
  durationMs: number | undefined;
  readonly kinds: Set<number>;
  width: number;
  height: number;
  clusters: number;
}

/** WebM and Matroska: one segment that fills the file. Files within the file are refused; nothing is decoded. */
export async function checkMatroska(cursor: ByteCursor, sizeBytes: number): Promise<MediaShape> {
  const found: Found = { durationMs: undefined, kinds: new Set(), width: 0, height: 0, clusters: 0 };
  let segments = 0;
  for await (const element of elementsBetween(cursor, 0, sizeBytes, true)) {
    if (element.id === ID.ebml || element.id === 0xec) continue;
    if (element.id !== ID.segment || segments > 0) throw trailingData();
    segments += 1;
    await readSegment(cursor, element, found);
  }
  if (segments === 0 || found.clusters === 0) throw damaged('There is no film and no sound in the file.');
  const { durationMs, width, height, kinds } = found;
  if (!kinds.has(VIDEO)) {
    if (kinds.has(AUDIO)) return { kind: 'audio', durationMs };
    throw damaged('There is no film and no sound in the file.');
  }
  assertWithinLimits({ width, height, frames: 1 });
  return { kind: 'video', width, height, durationMs };
}

async function readSegment(cursor: ByteCursor, segment: Element, found: Found): Promise<void> {
  for await (const element of elementsBetween(cursor, segment.bodyStart, segment.end, false)) {
    if (element.id === ID.attachments) {
      throw new ColophonError('media_not_allowed', 'The film carries other files as attachments.');
    }
    if (element.id === ID.info) found.durationMs = await readInfo(cursor, described(element));
    else if (element.id === ID.tracks) await readTracks(cursor, described(element), found);
    else if (element.id === CLUSTER) found.clusters += 1;
    else if (!SEGMENT_PARTS.has(element.id)) throw damaged('A part of the film is damaged.');
  }
}

function described(element: Element): Element {
  if (element.end - element.bodyStart > MAX_DESCRIPTION_BYTES) {
    throw new ColophonError('media_too_large', 'The description of the film is too long.');
  }
  return element;
}

async function readInfo(cursor: ByteCursor, info: Element): Promise<number | undefined> {
  let scaleNs = DEFAULT_SCALE_NS;
  let ticks: number | undefined;
  for await (const element of elementsBetween(cursor, info.bodyStart, info.end, false)) {
    if (element.id === ID.timestampScale) scaleNs = await readInteger(cursor, element);
    if (element.id === ID.duration) ticks = await readFloat(cursor, element);
  }
  return ticks === undefined ? undefined : durationOf(ticks * scaleNs, 1e9);
}

async function readTracks(cursor: ByteCursor, tracks: Element, found: Found): Promise<void> {
  for await (const entry of elementsBetween(cursor, tracks.bodyStart, tracks.end, false)) {
    if (entry.id !== ID.trackEntry) continue;
    for await (const element of elementsBetween(cursor, entry.bodyStart, entry.end, false)) {
      if (element.id === ID.trackType) found.kinds.add(await readInteger(cursor, element));
      if (element.id !== ID.video) continue;
      for await (const part of elementsBetween(cursor, element.bodyStart, element.end, false)) {
        if (part.id === ID.pixelWidth) found.width = Math.max(found.width, await readInteger(cursor, part));
        if (part.id === ID.pixelHeight)
          found.height = Math.max(found.height, await readInteger(cursor, part));
      }
    }
  }
}

/** EBML (RFC 8794): an id and a length of variable size, each telling its own size by its first set bit. */
async function* elementsBetween(
  cursor: ByteCursor,
  start: number,
  end: number,
  isFile: boolean,
): AsyncGenerator<Element> {
  let at = start;
  for (let blocks = 0; at < end; blocks = countBlock(blocks)) {
    cursor.position = at;
    if (isFile && at > 0 && (await cursor.onlyPaddingFollows())) return;
    cursor.position = at;
    const id = await readNumber(cursor, 4, false);
    const length = await readNumber(cursor, 8, true);
    if (length === undefined)
      throw damaged('The film does not say how long it is: it was cut off, or is a live stream.');
    const bodyStart = cursor.position;
    if (bodyStart + length > end)
      throw isFile ? truncated() : damaged('A part of the film is longer than the one around it.');
    yield { id: id ?? 0, bodyStart, end: bodyStart + length };
    at = bodyStart + length;
  }
}

/** @returns `undefined` for a length of all ones: unknown */
async function readNumber(
  cursor: ByteCursor,
  maxBytes: number,
  isLength: boolean,
): Promise<number | undefined> {
  const first = await cursor.takeByte();
  const bytes = first === 0 ? 9 : Math.clz32(first) - 23;
  if (bytes > maxBytes) throw damaged('A part of the film is damaged.');
  let value = isLength ? first & (0xff >> bytes) : first;
  let isUnknown = isLength && value === 0xff >> bytes;
  for (let i = 1; i < bytes; i += 1) {
    const next = await cursor.takeByte();
    isUnknown &&= next === 0xff;
    value = value * 256 + next;
  }
  return isUnknown ? undefined : value;
}

async function readInteger(cursor: ByteCursor, { bodyStart, end }: Element): Promise<number> {
  if (end - bodyStart > 8) throw damaged('A number of the film is damaged.');
  cursor.position = bodyStart;
  return (await cursor.take(end - bodyStart)).reduce((value, byte) => value * 256 + byte, 0);
}

async function readFloat(cursor: ByteCursor, { bodyStart, end }: Element): Promise<number> {
  cursor.position = bodyStart;
  if (end - bodyStart === 4) return view(await cursor.take(4)).getFloat32(0);
  if (end - bodyStart === 8) return view(await cursor.take(8)).getFloat64(0);
  throw damaged('A number of the film is damaged.');
}
