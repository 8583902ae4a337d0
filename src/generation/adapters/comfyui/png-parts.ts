import { inflateSync } from 'node:zlib';
import { type CleanedParts, requireUpright, UncleanableFileError, unreadable } from './cleaned-parts.js';

export const PNG_SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
/** Length, type, CRC. */
const CHUNK_OVERHEAD = 12;
/** A C2PA manifest store (C2PA 2.4, embedding in PNG). */
const MANIFEST = 'caBX';
/**
 * What shows the picture: size, colors, transparency, color space, resolution. An animated one keeps its frames, so that
 * it is seen and refused as what it is.
 */
const KEPT = new Set(
  `IHDR PLTE IDAT IEND tRNS gAMA cHRM sRGB iCCP cICP mDCV mDCv cLLI cLLi sBIT bKGD hIST pHYs tIME acTL fcTL fdAT`.split(
    ' ',
  ),
);
const TEXTS = new Set(['tEXt', 'zTXt', 'iTXt']);
/** Keywords that ComfyUI and its nodes use. Others are not repeated: a keyword is free text. */
const NAMED_TEXTS = new Set(['prompt', 'workflow', 'parameters']);
const MAX_PROFILE_BYTES = 16 * 1024 * 1024;

/** Chunks of a PNG (3rd edition, section 5), whole or not at all, up to IEND. */
export function pngParts(bytes: Buffer): CleanedParts {
  const kept = [bytes.subarray(0, PNG_SIGNATURE.length)];
  const removed = new Set<string>();
  const inflated: Buffer[] = [];
  let hasManifest = false;
  let type = '';
  let start = PNG_SIGNATURE.length;
  while (type !== 'IEND') {
    if (start + CHUNK_OVERHEAD > bytes.length) throw unreadable();
    const end = start + CHUNK_OVERHEAD + bytes.readUInt32BE(start);
    if (end > bytes.length) throw unreadable();
    type = bytes.toString('latin1', start + 4, start + 8);
    const data = bytes.subarray(start + 8, end - 4);
    hasManifest ||= type === MANIFEST;
    if (KEPT.has(type) || type === MANIFEST) kept.push(bytes.subarray(start, end));
    else removed.add(leftOut(type, data));
    if (type === 'iCCP') inflated.push(profileOf(data));
    start = end;
  }
  const behind = bytes.subarray(start);
  if (behind.some((byte) => byte !== 0))
    throw new UncleanableFileError('the picture has something behind its end');
  if (behind.length > 0) removed.add('padding');
  return { kept, removed: [...removed], hasManifest, inflated };
}

/** @returns what the record calls it */
function leftOut(type: string, data: Buffer): string {
  // Without a chunk of this kind no reader can show the picture (section 5.4).
  if (/^[A-Z]/.test(type)) throw unreadable();
  if (type === 'eXIf') requireUpright(data);
  const keyword = data.toString('latin1', 0, Math.max(0, data.indexOf(0))).toLowerCase();
  if (TEXTS.has(type) && NAMED_TEXTS.has(keyword)) return keyword;
  return TEXTS.has(type) || type === 'eXIf' ? type : 'other';
}

/** Name, NUL, method, deflated profile. */
function profileOf(data: Buffer): Buffer {
  try {
    return inflateSync(data.subarray(data.indexOf(0) + 2), { maxOutputLength: MAX_PROFILE_BYTES });
  } catch {
    throw unreadable();
  }
}
