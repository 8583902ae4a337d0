import { FormatError, START } from './format-error.js';

/** Decoded text that can tell line and column of an offset. */
export class SourceText {
  private lineStarts: number[] | undefined;

  /** @param lineOffset lines that stand before this text in the document */
  constructor(
    readonly text: string,
    private readonly lineOffset = 0,
  ) {}

  /** Line and column from 1. Lines end in LF, CRLF or CR. O(log lines) after a first pass. */
  position(offset: number): { line: number; column: number } {
    this.lineStarts ??= lineStartsOf(this.text);
    const starts = this.lineStarts;
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1 + this.lineOffset, column: offset - (starts[low] ?? 0) + 1 };
  }
}

function lineStartsOf(text: string): number[] {
  const starts = [0];
  for (const match of text.matchAll(/\r\n|\n|\r/g)) starts.push(match.index + match[0].length);
  return starts;
}

/**
 * UTF-8 text of a document without its byte order mark, which Windows editors write. UTF-16 is refused.
 * @throws FormatError `too-large`, `not-utf8`
 */
export function decodeDocument(content: Uint8Array | string, maxBytes: number): string {
  const bytes = typeof content === 'string' ? Buffer.byteLength(content) : content.byteLength;
  if (bytes > maxBytes) {
    throw new FormatError('too-large', START, `${String(bytes)} bytes; at most ${String(maxBytes)} are read`);
  }
  const text = typeof content === 'string' ? content : decodeUtf8(content);
  return text.startsWith('\u{feff}') ? text.slice(1) : text;
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new FormatError('not-utf8', START, 'the document is not UTF-8');
  }
}
