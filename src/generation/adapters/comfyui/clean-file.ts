import { sha256Hex } from '../../../shared/bytes.js';
import { type Preparation } from '../../domain/provider.port.js';
import { type CleanedParts, UncleanableFileError } from './cleaned-parts.js';
import { filmParts } from './film-parts.js';
import { jpegParts } from './jpeg-parts.js';
import { PNG_SIGNATURE, pngParts } from './png-parts.js';
import { holdsTrace } from './prompt-traces.js';
import { webpParts } from './webp-parts.js';

/** Still pictures in the same container: their metadata lie among the data of the picture. */
const PICTURE_BRANDS = /^(?:avi[fs]|hei[cfmsx]|hev[cmsx]|mif[12]|msf1|jxl )/;

export interface PreparedFile {
  readonly bytes: Buffer;
  /** Absent when nothing had to be removed: then the bytes are the received ones. */
  readonly preparation?: Preparation;
}

/**
 * Takes everything out of a file of ComfyUI that is not needed to show or play it: there its nodes keep the prompt and
 * the workflow, under names of their own. Whole chunks, segments and boxes are left out, and nothing else is touched, not
 * even the pixels' compression: whoever has the received file gets the same bytes by the same rule (ADR 0050).
 * @param texts what the step asked for, which must not be left anywhere in the file
 * @throws UncleanableFileError when the file carries a C2PA manifest, whose hashes cover what would be left out, or
 * prompt or graph in a place that cannot be left out, or is damaged
 */
export function removePromptTexts(received: Buffer, texts: readonly string[] = []): PreparedFile {
  const { kind, parts } = cleaned(received);
  const isSame = parts === undefined || parts.removed.length === 0;
  if (!isSame && parts.hasManifest)
    throw new UncleanableFileError('the file can carry the prompt under a manifest that would break');
  const bytes = isSame ? received : Buffer.concat(parts.kept);
  if ([bytes, ...(parts?.inflated ?? [])].some((piece) => holdsTrace(piece, texts)))
    throw new UncleanableFileError('the file carries the workflow or the prompt where it cannot be removed');
  if (isSame) return { bytes };
  const removed = [...parts.removed].sort();
  return { bytes, preparation: { kind, receivedSha256: sha256Hex(received), removed } };
}

/** Of other formats nothing is left out. */
function cleaned(bytes: Buffer): { kind: Preparation['kind']; parts?: CleanedParts } {
  const name = (from: number, to: number) => bytes.toString('latin1', from, to);
  if (bytes.subarray(0, PNG_SIGNATURE.length).equals(PNG_SIGNATURE))
    return { kind: 'png-text-removed', parts: pngParts(bytes) };
  const kind = 'metadata-removed';
  if (bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff) return { kind, parts: jpegParts(bytes) };
  if (name(0, 4) === 'RIFF' && name(8, 12) === 'WEBP') return { kind, parts: webpParts(bytes) };
  if (name(4, 8) === 'ftyp' && !PICTURE_BRANDS.test(name(8, 12))) return { kind, parts: filmParts(bytes) };
  return { kind };
}
