import { type Tree } from './document-tree.js';
import { FormatError, START } from './format-error.js';
import { MAX_CARD_BYTES, MAX_HEADER_BYTES } from './limits.js';
import { decodeDocument, SourceText } from './source-text.js';
import { readYamlTree } from './yaml-tree.js';

const FENCE = /^---[ \t]*(?:\r\n|\n|\r|$)/;
const CLOSING = /(?:^|\r\n|\n|\r)---[ \t]*(?=\r|\n|$)/;

/**
 * The YAML between the first two lines `---` of a Markdown card. The body is prose and is never read for facts.
 * @throws FormatError
 */
export function readCardHeader(content: Uint8Array | string): Tree {
  const text = decodeDocument(content, MAX_CARD_BYTES);
  const opening = FENCE.exec(text)?.[0];
  if (opening === undefined) {
    throw new FormatError('header-missing', START, 'the card does not begin with a line "---"');
  }
  const rest = text.slice(opening.length);
  const closing = CLOSING.exec(rest);
  if (!closing) throw new FormatError('header-not-closed', START, 'no second line "---" closes the header');
  const header = rest.slice(0, closing.index);
  const bytes = Buffer.byteLength(header);
  if (bytes > MAX_HEADER_BYTES) {
    const message = `a header of ${String(bytes)} bytes; at most ${String(MAX_HEADER_BYTES)} are read`;
    throw new FormatError('too-large', { ...START, line: 2 }, message);
  }
  return readYamlTree(new SourceText(header, 1));
}
