import { ColophonError } from '../../../shared/errors.js';
import { type ByteCursor, damaged, trailingData } from './byte-source.js';
import { BoxBudget, boxesBetween, type IsoBox, view } from './iso-boxes.js';
import { assertWithinLimits } from './media-limits.js';
import { type MediaShape } from './media-probe.port.js';

const TOP_LEVEL = new Set(['ftyp', 'meta', 'mdat', 'free', 'skip', 'uuid', 'idat']);
/** A picture of thousands of tiles needs some 100 kB. */
const MAX_META_BYTES = 16 * 1024 * 1024;
const MAX_PROPERTIES = 4096;

interface Properties {
  /** In the order in which associations count them, from 1. */
  readonly all: { readonly type: string; readonly values: readonly number[] }[];
  /** Numbers of the properties of the primary picture. */
  associated: readonly number[];
}

/**
 * HEIC and HEIF still pictures (ISO/IEC 23008-12): the boxes fill the file, `meta` says how large the primary picture
 * is. The pixels are not decoded: no decoder for them is in this program.
 */
export async function checkHeif(cursor: ByteCursor, sizeBytes: number): Promise<MediaShape> {
  const budget = new BoxBudget();
  let meta: IsoBox | undefined;
  for await (const box of boxesBetween(cursor, { start: 0, end: sizeBytes, isFile: true }, budget)) {
    if (box.type === 'moov') {
      throw new ColophonError('unsupported_media', 'A sequence of pictures is not a still picture.');
    }
    if (!TOP_LEVEL.has(box.type)) throw trailingData();
    if (box.type !== 'meta') continue;
    if (meta) throw damaged('The picture describes itself twice.');
    meta = box;
  }
  if (!meta || meta.end - meta.bodyStart > MAX_META_BYTES)
    throw damaged('The picture does not describe itself.');
  return { kind: 'image', ...(await shownSize(cursor, meta, budget)) };
}

async function shownSize(
  cursor: ByteCursor,
  meta: IsoBox,
  budget: BoxBudget,
): Promise<{ width: number; height: number }> {
  let primary: number | undefined;
  let properties: IsoBox | undefined;
  // `meta` is a full box: four bytes of version and flags come first.
  const children = { start: meta.bodyStart + 4, end: meta.end, isFile: false };
  for await (const box of boxesBetween(cursor, children, budget)) {
    if (box.type === 'pitm') primary = await readPrimary(cursor, box);
    if (box.type === 'iprp') properties = box;
  }
  if (primary === undefined || !properties) throw damaged('The file does not say which picture is shown.');
  const { all, associated } = await readProperties(cursor, properties, primary, budget);
  for (const { type, values } of all) {
    if (type === 'ispe') assertWithinLimits({ width: values[0] ?? 0, height: values[1] ?? 0, frames: 1 });
  }
  const own = associated.map((number) => all[number - 1]).filter((property) => property !== undefined);
  const [width, height] = own.find(({ type }) => type === 'ispe')?.values ?? [];
  if (width === undefined || height === undefined) throw damaged('The picture has no size.');
  const quarterTurns = own.find(({ type }) => type === 'irot')?.values[0] ?? 0;
  return quarterTurns % 2 === 1 ? { width: height, height: width } : { width, height };
}

async function readPrimary(cursor: ByteCursor, box: IsoBox): Promise<number> {
  const body = view(await bytesOf(cursor, box));
  const isShort = body.byteLength > 0 && body.getUint8(0) === 0;
  if (body.byteLength < (isShort ? 6 : 8)) throw damaged('A box of the picture is too short.');
  return isShort ? body.getUint16(4) : body.getUint32(4);
}

async function readProperties(
  cursor: ByteCursor,
  box: IsoBox,
  primary: number,
  budget: BoxBudget,
): Promise<Properties> {
  const found: Properties = { all: [], associated: [] };
  for await (const inner of boxesBetween(
    cursor,
    { start: box.bodyStart, end: box.end, isFile: false },
    budget,
  )) {
    if (inner.type === 'ipma') found.associated = associationsOf(view(await bytesOf(cursor, inner)), primary);
    if (inner.type !== 'ipco') continue;
    const within = { start: inner.bodyStart, end: inner.end, isFile: false };
    for await (const property of boxesBetween(cursor, within, budget)) {
      if (found.all.length >= MAX_PROPERTIES)
        throw new ColophonError('media_too_large', 'The picture has too many parts.');
      found.all.push({ type: property.type, values: await valuesOf(cursor, property) });
    }
  }
  return found;
}

/** ispe: full box, width, height. irot: quarter turns in the lowest two bits. */
async function valuesOf(cursor: ByteCursor, box: IsoBox): Promise<number[]> {
  if (box.type !== 'ispe' && box.type !== 'irot') return [];
  const body = view(await bytesOf(cursor, box));
  if (body.byteLength < (box.type === 'ispe' ? 12 : 1)) throw damaged('A box of the picture is too short.');
  return box.type === 'ispe' ? [body.getUint32(4), body.getUint32(8)] : [body.getUint8(0) & 3];
}

/** ItemPropertyAssociationBox (ISO/IEC 23008-12 section 9.3): per item a list of numbers of 7 or 15 bits. */
function associationsOf(body: DataView, wanted: number): number[] {
  try {
    const isWideId = body.getUint8(0) >= 1;
    const isWideNumber = (body.getUint8(3) & 1) === 1;
    let at = 8;
    for (let item = body.getUint32(4); item > 0; item -= 1) {
      const id = isWideId ? body.getUint32(at) : body.getUint16(at);
      at += isWideId ? 4 : 2;
      const count = body.getUint8(at);
      at += 1;
      const step = isWideNumber ? 2 : 1;
      if (id === wanted) {
        return Array.from({ length: count }, (_, i) =>
          isWideNumber ? body.getUint16(at + i * 2) & 0x7fff : body.getUint8(at + i) & 0x7f,
        );
      }
      at += count * step;
    }
    return [];
  } catch {
    // A number that points behind the end of the box.
    throw damaged('A box of the picture is too short.');
  }
}

async function bytesOf(cursor: ByteCursor, { bodyStart, end }: IsoBox): Promise<Uint8Array> {
  cursor.position = bodyStart;
  return cursor.take(end - bodyStart);
}
