import { sha256Hex } from '../../../shared/bytes.js';
import { type Preparation } from '../../domain/provider.port.js';

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
/** Length, type, CRC. */
const CHUNK_OVERHEAD = 12;
const TEXT_CHUNKS = new Set(['tEXt', 'zTXt', 'iTXt']);
/** What ComfyUI and its nodes write: the graph with the prompt in it, and the user's workflow. */
const LEAKS = new Set(['prompt', 'workflow', 'parameters']);
/** Every node of a graph has it, in whatever file the graph lies. */
const GRAPH_MARK = '"class_type"';
/** A C2PA manifest store (C2PA 2.4, embedding in PNG). */
const C2PA_CHUNK = 'caBX';

/** The file cannot be passed on, and cannot be cleaned either. */
export class UncleanableFileError extends Error {}

export interface PreparedFile {
  readonly bytes: Buffer;
  /** Absent when nothing had to be removed: then the bytes are the received ones. */
  readonly preparation?: Preparation;
}

/**
 * Takes the text chunks out of a PNG in which ComfyUI keeps the prompt and the workflow. Whole chunks are left out and
 * nothing else is touched, not even the pixels' compression: whoever has the received file gets the same bytes by the
 * same rule (ADR 0025). Anything that is not a well-formed PNG passes as it is, for the media check to judge.
 * @throws UncleanableFileError when the file carries a C2PA manifest, whose hashes cover these chunks, or a graph elsewhere
 */
export function removePromptTexts(received: Buffer): PreparedFile {
  const prepared = withoutTextChunks(received);
  // Other save nodes put the graph into EXIF, into MP4 or FLAC: there it cannot be removed by leaving something whole out.
  if (prepared.bytes.includes(GRAPH_MARK))
    throw new UncleanableFileError('the file carries the workflow where it cannot be removed');
  return prepared;
}

function withoutTextChunks(received: Buffer): PreparedFile {
  const chunks = chunksOf(received);
  if (chunks === undefined) return { bytes: received };
  const leaking = chunks.filter(isLeak);
  if (leaking.length === 0) return { bytes: received };
  if (chunks.some(({ type }) => type === C2PA_CHUNK))
    throw new UncleanableFileError('the file carries the prompt under a manifest that would break');
  const kept = chunks.filter((chunk) => !isLeak(chunk));
  const bytes = Buffer.concat([SIGNATURE, ...kept.map(({ start, end }) => received.subarray(start, end))]);
  return {
    bytes,
    preparation: {
      kind: 'png-text-removed',
      receivedSha256: sha256Hex(received),
      removed: [...new Set(leaking.map(({ keyword = '' }) => keyword))].sort(),
    },
  };
}

function isLeak({ keyword }: Chunk): boolean {
  return keyword !== undefined && LEAKS.has(keyword);
}

interface Chunk {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  /** Of a text chunk: what stands before the first NUL, Latin-1. */
  readonly keyword: string | undefined;
}

/** `undefined` when the bytes are not a PNG to their end. */
function chunksOf(bytes: Buffer): Chunk[] | undefined {
  if (!bytes.subarray(0, SIGNATURE.length).equals(SIGNATURE)) return undefined;
  const chunks: Chunk[] = [];
  let start = SIGNATURE.length;
  while (start < bytes.length) {
    if (start + CHUNK_OVERHEAD > bytes.length) return undefined;
    const dataLength = bytes.readUInt32BE(start);
    const end = start + CHUNK_OVERHEAD + dataLength;
    if (end > bytes.length) return undefined;
    const type = bytes.toString('latin1', start + 4, start + 8);
    const data = bytes.subarray(start + 8, end - 4);
    const keywordEnd = data.indexOf(0);
    const isText = TEXT_CHUNKS.has(type) && keywordEnd > 0;
    const keyword = isText ? data.toString('latin1', 0, keywordEnd).toLowerCase() : undefined;
    chunks.push({ type, start, end, keyword });
    start = end;
  }
  return chunks;
}
