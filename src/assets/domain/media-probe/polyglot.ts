import { type ByteSource, trailingData } from './byte-source.js';

/** A zip is found from its end: this record, and behind it nothing but a comment of at most 65,535 bytes. */
const ZIP_END = [0x50, 0x4b, 0x05, 0x06];
const ZIP_END_BYTES = 22;
const MAX_COMMENT_BYTES = 65_535;
/** Readers of PDF look for its mark in the first kilobyte (ISO 32000-1 annex H.3). */
const PDF_SEARCH_BYTES = 1024;
const PDF = /%PDF-\d/;

/** A file that is a whole archive or document for another program as well: who looks at it sees one of two things. */
export async function refusePolyglot(source: ByteSource): Promise<void> {
  const head = new TextDecoder('latin1').decode(await source.read(0, PDF_SEARCH_BYTES));
  if (PDF.test(head)) throw trailingData();
  const start = Math.max(0, source.sizeBytes - ZIP_END_BYTES - MAX_COMMENT_BYTES);
  const tail = await source.read(start, source.sizeBytes - start);
  for (let at = tail.length - ZIP_END_BYTES; at >= 0; at -= 1) {
    if (!ZIP_END.every((byte, i) => tail[at + i] === byte)) continue;
    const comment = (tail[at + 20] ?? 0) + (tail[at + 21] ?? 0) * 256;
    if (at + ZIP_END_BYTES + comment === tail.length) throw trailingData();
  }
}
