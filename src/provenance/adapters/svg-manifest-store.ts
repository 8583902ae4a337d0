import sax from 'sax';
import { MAX_TEXT_BYTES } from '../domain/detect-media-type.js';
import { type ByteSource } from './byte-source.js';
import { type PlacedStore } from './manifest-store-slice.js';

/** The path at which the library looks, by the names as they are written. */
const STORE_PATH = 'svg/metadata/c2pa:manifest';
const PARSER_OPTIONS = { strictEntities: true, position: true };
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/**
 * SVG: the text of `svg/metadata/c2pa:manifest` is the store in base64 (C2PA 2.4 annex A "Embedding manifests into
 * SVG"). With more than one such element it is not clear which is meant, so none is taken.
 */
export async function storeInSvg(file: ByteSource): Promise<PlacedStore | undefined> {
  if (file.sizeBytes > MAX_TEXT_BYTES) return undefined;
  const xml = Buffer.from(await file.read(0, file.sizeBytes));
  const found = manifestElements(xml.toString('utf8'));
  const written = found?.[0]?.text ?? '';
  const text = written.replaceAll(/\s+/g, '');
  if (found?.length !== 1 || !BASE64.test(text)) return undefined;
  // As it is written, but for entities: where those stand in it, no place is known that holds it.
  const offset = xml.indexOf(`<c2pa:manifest>${written}`);
  const place = { offset: offset + '<c2pa:manifest>'.length, sizeBytes: written.length };
  return { bytes: Buffer.from(text, 'base64'), places: offset < 0 ? [] : [place] };
}

/** An element that holds a manifest; places are counted as JavaScript counts characters. */
export interface ManifestElement {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** `undefined` when this is no well-formed XML. */
export function manifestElements(xml: string): ManifestElement[] | undefined {
  const path: string[] = [];
  const found: ManifestElement[] = [];
  const parser = sax.parser(true, PARSER_OPTIONS);
  let open: { text: string; readonly start: number } | undefined;
  parser.onopentag = ({ name }) => {
    path.push(name);
    if (path.length === 3 && path.join('/') === STORE_PATH)
      open = { text: '', start: parser.startTagPosition - 1 };
  };
  parser.ontext = (part) => {
    if (open !== undefined && path.length === 3) open.text += part;
  };
  parser.onclosetag = () => {
    if (open !== undefined && path.length === 3) {
      found.push({ ...open, end: parser.position });
      open = undefined;
    }
    path.pop();
  };
  // At once: the parser would go on, and each closing tag without a beginning goes over all that is open.
  parser.onerror = (error) => {
    throw error;
  };
  try {
    // In one piece: between pieces the parser refuses attributes above 64 kB, which drawings have.
    parser.write(xml).close();
    return found;
  } catch {
    return undefined;
  }
}
