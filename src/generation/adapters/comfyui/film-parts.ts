import { type CleanedParts, unreadable } from './cleaned-parts.js';

/** Boxes in which tools keep titles, comments and whatever else they like. */
const TEXTS = new Set(['udta', 'meta']);
const CONTAINERS = new Set(['moov', 'trak', 'mdia', 'moof', 'traf']);
const XMP_UUID = 'be7acfcb97a942e89c71999491e3afac';
const MANIFEST_UUID = 'd8fec3d61b0e483c92975828877ec481';
const MAX_BOXES = 200_000;

interface Box {
  readonly type: string;
  readonly start: number;
  readonly body: number;
  readonly end: number;
}

/**
 * MP4 and QuickTime (ISO/IEC 14496-12). A box that were cut out would move the film data, whose places stand in tables:
 * so its name becomes `free` and its content zeros, and every other byte stays where it is.
 */
export function filmParts(bytes: Buffer): CleanedParts {
  const blanked: Box[] = [];
  const found = { manifest: false, boxes: 0 };
  const walk = (start: number, end: number): void => {
    for (const box of boxesBetween(bytes, start, end)) {
      found.boxes += 1;
      if (found.boxes > MAX_BOXES) throw unreadable();
      const uuid = box.type === 'uuid' ? bytes.toString('hex', box.body, box.body + 16) : undefined;
      found.manifest ||= uuid === MANIFEST_UUID;
      if (TEXTS.has(box.type) || uuid === XMP_UUID) blanked.push(box);
      else if (CONTAINERS.has(box.type)) walk(box.body, box.end);
    }
  };
  walk(0, bytes.length);
  const removed = [...new Set(blanked.map(({ type }) => (type === 'uuid' ? 'XMP' : type)))];
  return { kept: [blank(bytes, blanked)], removed, hasManifest: found.manifest };
}

function blank(bytes: Buffer, boxes: readonly Box[]): Buffer {
  if (boxes.length === 0) return bytes;
  const copy = Buffer.from(bytes);
  for (const { start, body, end } of boxes) {
    copy.write('free', start + 4, 'latin1');
    copy.fill(0, body, end);
  }
  return copy;
}

function* boxesBetween(bytes: Buffer, from: number, to: number): Generator<Box> {
  for (let start = from; start < to;) {
    // QuickTime ends some lists with four zero bytes; padding behind the last box is zero too.
    if (to - start < 8 || bytes.readUInt32BE(start + 4) === 0) {
      if (bytes.subarray(start, to).some((byte) => byte !== 0)) throw unreadable();
      return;
    }
    const short = bytes.readUInt32BE(start);
    const isLarge = short === 1;
    if (isLarge && to - start < 16) throw unreadable();
    const large = isLarge ? Number(bytes.readBigUInt64BE(start + 8)) : short;
    const body = start + (isLarge ? 16 : 8);
    const end = short === 0 ? to : start + large;
    if (end < body || end > to) throw unreadable();
    yield { type: bytes.toString('latin1', start + 4, start + 8), start, body, end };
    start = end;
  }
}
