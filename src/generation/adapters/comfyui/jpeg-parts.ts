import { type CleanedParts, requireUpright, unreadable } from './cleaned-parts.js';

const END_OF_IMAGE = 0xd9;
const START_OF_SCAN = 0xda;
const COMMENT = 0xfe;
const APP0 = 0xe0;
const EXIF = 'Exif\0\0';
/** Application segments that show the picture: density, color profile, color transform; and the manifest. */
const KEPT_APPLICATIONS: Readonly<Record<number, string>> = { 0: 'JFIF\0', 2: 'ICC_PROFILE\0', 14: 'Adobe' };
const MANIFEST_APPLICATION = 11;

/** Segments of a JPEG (ITU-T T.81 annex B), whole or not at all, up to the end of the first picture. */
export function jpegParts(bytes: Buffer): CleanedParts {
  const kept = [bytes.subarray(0, 2)];
  const removed = new Set<string>();
  let hasManifest = false;
  let at = 2;
  for (;;) {
    const { code, behind } = markerAt(bytes, at);
    if (code === END_OF_IMAGE || isStandalone(code)) {
      kept.push(bytes.subarray(at, behind));
      at = behind;
      if (code === END_OF_IMAGE) break;
      continue;
    }
    if (behind + 2 > bytes.length) throw unreadable();
    const end = behind + bytes.readUInt16BE(behind);
    if (end > bytes.length || end < behind + 2) throw unreadable();
    const next = code === START_OF_SCAN ? endOfScan(bytes, end) : end;
    const name = leftOut(code, bytes.subarray(behind + 2, end));
    if (code === APP0 + MANIFEST_APPLICATION && name === undefined) hasManifest = true;
    if (name === undefined) kept.push(bytes.subarray(at, next));
    else removed.add(name);
    at = next;
  }
  const rest = bytes.subarray(at);
  const isAnother = rest.length > 2 && rest[0] === 0xff && rest[1] === 0xd8 && rest[2] === 0xff;
  if (isAnother) removed.add('further pictures');
  else if (rest.length > 0 && rest.every((byte) => byte === 0)) removed.add('padding');
  else kept.push(rest);
  return { kept, removed: [...removed], hasManifest };
}

/** @returns what the record calls a segment that is left out; `undefined` for one that is kept */
function leftOut(code: number, data: Buffer): string | undefined {
  if (code === COMMENT) return 'COM';
  // What is not reserved for extensions: tables, frames, scans.
  if (code >= 0xc0 && code < APP0) return undefined;
  const application = code - APP0;
  if (application < 0 || application > 15) return 'other';
  const wanted = KEPT_APPLICATIONS[application];
  if (application === MANIFEST_APPLICATION && isManifest(data)) return undefined;
  if (wanted !== undefined && startsWith(data, wanted)) return undefined;
  if (application !== 1) return `APP${application}`;
  if (!startsWith(data, EXIF)) return 'XMP';
  requireUpright(data.subarray(EXIF.length));
  return 'EXIF';
}

/** A JUMBF box (ISO/IEC 19566-5 annex D). */
function isManifest(data: Buffer): boolean {
  return startsWith(data, 'JP') && data.toString('latin1', 12, 16) === 'jumb';
}

/** Fill bytes 0xff may precede a marker (B.1.1.2). */
function markerAt(bytes: Buffer, at: number): { code: number; behind: number } {
  let behind = at;
  if (bytes[behind] !== 0xff) throw unreadable();
  while (bytes[behind] === 0xff) behind += 1;
  const code = bytes[behind];
  if (code === undefined || code === 0) throw unreadable();
  return { code, behind: behind + 1 };
}

/** Behind entropy-coded data, in which 0xff00 is a data byte and 0xffd0 to 0xffd7 are restart markers. */
function endOfScan(bytes: Buffer, start: number): number {
  for (let at = bytes.indexOf(0xff, start); at >= 0; at = bytes.indexOf(0xff, at)) {
    let behind = at;
    while (bytes[behind] === 0xff) behind += 1;
    const code = bytes[behind];
    if (code !== undefined && code !== 0 && !isRestart(code)) return at;
    at = behind;
  }
  throw unreadable();
}

function isRestart(code: number): boolean {
  return code >= 0xd0 && code <= 0xd7;
}

function isStandalone(code: number): boolean {
  return code === 0x01 || isRestart(code);
}

function startsWith(data: Buffer, text: string): boolean {
  return data.toString('latin1', 0, text.length) === text;
}
