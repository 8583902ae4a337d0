import { ColophonError } from '../../../shared/errors.js';
import { type ByteCursor, damaged, trailingData } from './byte-source.js';
import { BoxBudget, boxesBetween, type IsoBox, view } from './iso-boxes.js';
import { assertWithinLimits } from './media-limits.js';
import { type MediaShape } from './media-probe.port.js';

const TOP_LEVEL = new Set(['ftyp', 'moov', 'mdat', 'free', 'skip', 'wide', 'uuid', 'meta', 'pdin', 'udta']);
/** Parts of films that are fetched piece by piece: the signing library covers whole films only. */
const FRAGMENT_BOXES = new Set(['moof', 'styp', 'sidx', 'mfra', 'ssix', 'emsg', 'prft']);
/** The signing library takes no more. */
const MAX_MEDIA_DATA_BOXES = 4;
const MAX_TRACKS = 64;
const SELF_CONTAINED = 1;

interface Track {
  readonly handler: string;
  readonly width: number;
  readonly height: number;
}

interface Film {
  durationMs: number | undefined;
  readonly tracks: Track[];
}

/** MP4, QuickTime and M4A: boxes that fill the file; `moov` says what is in them. Nothing is decoded. */
export async function checkFilm(cursor: ByteCursor, sizeBytes: number): Promise<MediaShape> {
  const budget = new BoxBudget();
  let film: Film | undefined;
  let mediaData = 0;
  for await (const box of boxesBetween(cursor, { start: 0, end: sizeBytes, isFile: true }, budget)) {
    if (FRAGMENT_BOXES.has(box.type)) {
      throw new ColophonError(
        'unsupported_media',
        'Fragmented films are not accepted. Export it as one whole.',
      );
    }
    if (!TOP_LEVEL.has(box.type)) throw trailingData();
    if (box.type === 'mdat') mediaData += 1;
    if (box.type !== 'moov') continue;
    if (film) throw damaged('The film describes itself twice.');
    film = await readMovie(cursor, box, budget);
  }
  if (!film || mediaData === 0 || film.tracks.length === 0)
    throw damaged('There is no film and no sound in the file.');
  if (mediaData > MAX_MEDIA_DATA_BOXES) {
    throw new ColophonError(
      'media_too_large',
      `A film may have at most ${MAX_MEDIA_DATA_BOXES} parts of media data.`,
    );
  }
  return shapeOf(film);
}

function shapeOf({ tracks, durationMs }: Film): MediaShape {
  const films = tracks.filter(({ handler }) => handler === 'vide');
  const largest = films.sort((a, b) => b.width * b.height - a.width * a.height)[0];
  if (!largest) {
    if (tracks.some(({ handler }) => handler === 'soun')) return { kind: 'audio', durationMs };
    throw damaged('There is no film and no sound in the file.');
  }
  const { width, height } = largest;
  assertWithinLimits({ width, height, frames: 1 });
  return { kind: 'video', width, height, durationMs };
}

async function readMovie(cursor: ByteCursor, movie: IsoBox, budget: BoxBudget): Promise<Film> {
  const film: Film = { durationMs: undefined, tracks: [] };
  for await (const box of childrenOf(cursor, movie, budget)) {
    if (box.type === 'mvhd') film.durationMs = await readDuration(cursor, box);
    if (box.type === 'mvex') {
      throw new ColophonError(
        'unsupported_media',
        'Fragmented films are not accepted. Export it as one whole.',
      );
    }
    if (box.type === 'cmov') throw damaged('The description of the film is compressed.');
    if (box.type !== 'trak') continue;
    if (film.tracks.length >= MAX_TRACKS)
      throw new ColophonError('media_too_large', 'The film has too many tracks.');
    film.tracks.push(await readTrack(cursor, box, budget));
  }
  return film;
}

function childrenOf(
  cursor: ByteCursor,
  { bodyStart, end }: IsoBox,
  budget: BoxBudget,
): AsyncGenerator<IsoBox> {
  return boxesBetween(cursor, { start: bodyStart, end, isFile: false }, budget);
}

/** mvhd: version 0 has times of 32 bits, version 1 of 64; then time scale and duration. */
async function readDuration(cursor: ByteCursor, box: IsoBox): Promise<number | undefined> {
  const body = view(await bodyOf(cursor, box, 32));
  const isLong = body.getUint8(0) === 1;
  const scale = body.getUint32(isLong ? 20 : 12);
  const ticks = isLong ? Number(body.getBigUint64(24)) : body.getUint32(16);
  const isUnknown = isLong ? ticks >= 2 ** 64 - 1 : ticks === 0xffffffff;
  if (scale === 0) throw damaged('The film has no time scale.');
  return isUnknown ? undefined : durationOf(ticks, scale);
}

/** @throws ColophonError `media_corrupt` for lengths that no film has: beyond what an integer holds */
export function durationOf(ticks: number, perSecond: number): number {
  const durationMs = Math.round((ticks / perSecond) * 1000);
  if (!Number.isSafeInteger(durationMs) || durationMs > 0x7fffffff)
    throw damaged('The declared duration is absurd.');
  return durationMs;
}

async function readTrack(cursor: ByteCursor, track: IsoBox, budget: BoxBudget): Promise<Track> {
  let size = { width: 0, height: 0 };
  let handler = '';
  for await (const box of childrenOf(cursor, track, budget)) {
    if (box.type === 'tkhd') size = await readTrackSize(cursor, box);
    if (box.type !== 'mdia') continue;
    for await (const inner of childrenOf(cursor, box, budget)) {
      if (inner.type === 'hdlr')
        handler = String.fromCharCode(...(await bodyOf(cursor, inner, 12)).subarray(8, 12));
      if (inner.type === 'minf') await checkMediaInformation(cursor, inner, budget);
    }
  }
  return { handler, ...size };
}

/** tkhd ends with a matrix of nine numbers, width and height in 16.16; a quarter turn in the matrix swaps them. */
async function readTrackSize(cursor: ByteCursor, box: IsoBox): Promise<{ width: number; height: number }> {
  const isLong = (await bodyOf(cursor, box, 4))[0] === 1;
  const body = view(await bodyOf(cursor, box, isLong ? 96 : 84));
  const matrixAt = isLong ? 52 : 40;
  const [width, height] = [matrixAt + 36, matrixAt + 40].map((at) => body.getUint32(at) >>> 16);
  const isTurned = body.getInt32(matrixAt) === 0 && body.getInt32(matrixAt + 4) !== 0;
  return isTurned ? { width: height ?? 0, height: width ?? 0 } : { width: width ?? 0, height: height ?? 0 };
}

/** The media data must be in this file (dref, 8.7.2), and tables must be as long as they say. */
async function checkMediaInformation(cursor: ByteCursor, box: IsoBox, budget: BoxBudget): Promise<void> {
  for await (const inner of childrenOf(cursor, box, budget)) {
    if (inner.type === 'dinf') {
      for await (const reference of childrenOf(cursor, inner, budget)) {
        if (reference.type === 'dref') await checkReferences(cursor, reference, budget);
      }
    }
    if (inner.type !== 'stbl') continue;
    for await (const table of childrenOf(cursor, inner, budget)) await checkTable(cursor, table);
  }
}

async function checkReferences(cursor: ByteCursor, box: IsoBox, budget: BoxBudget): Promise<void> {
  const entries = { ...box, bodyStart: box.bodyStart + 8 };
  for await (const entry of childrenOf(cursor, entries, budget)) {
    const flags = view(await bodyOf(cursor, entry, 4)).getUint32(0) & 0xffffff;
    if ((flags & SELF_CONTAINED) === 0) {
      throw new ColophonError(
        'media_not_allowed',
        'The film takes its pictures or sounds from another file.',
      );
    }
  }
}

/** Bytes of one entry of a table, and where its number of entries stands. */
const TABLES: Readonly<Record<string, { readonly countAt: number; readonly entryBytes: number }>> = {
  stts: { countAt: 4, entryBytes: 8 },
  stsc: { countAt: 4, entryBytes: 12 },
  stco: { countAt: 4, entryBytes: 4 },
  co64: { countAt: 4, entryBytes: 8 },
  stss: { countAt: 4, entryBytes: 4 },
  ctts: { countAt: 4, entryBytes: 8 },
};

async function checkTable(cursor: ByteCursor, box: IsoBox): Promise<void> {
  const bytes = box.end - box.bodyStart;
  const table = TABLES[box.type];
  if (table) {
    const count = view(await bodyOf(cursor, box, 8)).getUint32(table.countAt);
    if (8 + count * table.entryBytes > bytes) throw damaged('A table of the film is shorter than it says.');
  }
  if (box.type === 'stsz') {
    const body = view(await bodyOf(cursor, box, 12));
    const isList = body.getUint32(4) === 0;
    if (isList && 12 + body.getUint32(8) * 4 > bytes)
      throw damaged('A table of the film is shorter than it says.');
  }
}

async function bodyOf(cursor: ByteCursor, { bodyStart, end }: IsoBox, length: number): Promise<Uint8Array> {
  if (end - bodyStart < length) throw damaged('A box of the film is too short.');
  cursor.position = bodyStart;
  return cursor.take(length);
}
