import { sha256Hex } from '../../../shared/bytes.js';
import { type PlannedAssertion } from '../../domain/manifest-plan.js';
import { MediaContent } from '../media-content.js';

/** The captured bytes without the manifest that nobody can read. */
export interface LeftOutManifest {
  readonly content: MediaContent;
  /** Says so in the manifest of the signed file. */
  readonly assertion: PlannedAssertion;
}

/** Gives the parts of a file that are kept, or `undefined` where its structure is not whole. */
type KeptParts = (bytes: Buffer) => Buffer[] | undefined;

const KEPT_PARTS: Readonly<Record<string, KeptParts>> = {
  'image/png': pngParts,
  'image/jpeg': jpegParts,
  'image/webp': webpParts,
};

/**
 * Leaves out, whole, the parts of a picture in which a C2PA manifest lies, and touches nothing else: whoever has the
 * received file gets the same bytes by the same rule.
 * @returns `undefined` when the file has no such part, is of another type, or too large to be held in memory
 */
export function leaveOutManifest(captured: MediaContent, mediaType: string): LeftOutManifest | undefined {
  const buffer = captured.inMemory?.buffer;
  const parts = buffer && KEPT_PARTS[mediaType]?.(buffer);
  if (buffer === undefined || parts === undefined) return undefined;
  const content = MediaContent.join(parts);
  if (content.sizeBytes === buffer.length) return undefined;
  const data = { kind: 'manifest-removed', receivedSha256: sha256Hex(buffer), because: 'manifest_malformed' };
  return { content, assertion: { label: 'org.colophon.preparation', kind: 'created', data } };
}

/** PNG 3rd edition section 5.3: chunks of length, type, data, checksum. */
function pngParts(bytes: Buffer): Buffer[] | undefined {
  const kept = [bytes.subarray(0, 8)];
  let at = 8;
  while (at < bytes.length) {
    if (at + 12 > bytes.length) return undefined;
    const end = at + 12 + bytes.readUInt32BE(at);
    if (end > bytes.length) return undefined;
    if (bytes.toString('latin1', at + 4, at + 8) !== 'caBX') kept.push(bytes.subarray(at, end));
    at = end;
  }
  return kept;
}

const JPEG_APP11 = 0xeb;
const JPEG_START_OF_SCAN = 0xda;

/** Segments before the first scan; of APP11 those that hold a JUMBF box (ISO/IEC 19566-5 annex D). */
function jpegParts(bytes: Buffer): Buffer[] | undefined {
  const kept = [bytes.subarray(0, 2)];
  let at = 2;
  while (at + 4 <= bytes.length && bytes[at] === 0xff && bytes[at + 1] !== JPEG_START_OF_SCAN) {
    const end = at + 2 + bytes.readUInt16BE(at + 2);
    if (end > bytes.length || end < at + 4) return undefined;
    const isJumbf =
      bytes[at + 1] === JPEG_APP11 &&
      bytes.toString('latin1', at + 4, at + 6) === 'JP' &&
      bytes.toString('latin1', at + 16, at + 20) === 'jumb';
    if (!isJumbf) kept.push(bytes.subarray(at, end));
    at = end;
  }
  return [...kept, bytes.subarray(at)];
}

/** RIFF chunks of type, little-endian length, data, padded to even length; the length of all stands before them. */
function webpParts(bytes: Buffer): Buffer[] | undefined {
  const kept: Buffer[] = [];
  let at = 12;
  while (at + 8 <= bytes.length) {
    const length = bytes.readUInt32LE(at + 4);
    const end = at + 8 + length + (length % 2);
    if (end > bytes.length) return undefined;
    if (bytes.toString('latin1', at, at + 4) !== 'C2PA') kept.push(bytes.subarray(at, end));
    at = end;
  }
  const head = Buffer.from(bytes.subarray(0, 12));
  head.writeUInt32LE(
    kept.reduce((sum, part) => sum + part.length, 4),
    4,
  );
  return [head, ...kept];
}
