import { MAX_TEXT_BYTES } from '../../../domain/detect-media-type.js';
import { type ByteSource } from '../../byte-source.js';
import { type Edit } from '../../edited-content.js';
import { manifestElements } from '../../svg-manifest-store.js';
import { cut, cutOut, type ManifestRemoval } from './removal.js';

/** SVG: the elements `c2pa:manifest` go, from their opening tags to their closing ones. */
export async function fromSvg(file: ByteSource): Promise<ManifestRemoval | undefined> {
  if (file.sizeBytes > MAX_TEXT_BYTES) return undefined;
  const bytes = Buffer.from(await file.read(0, file.sizeBytes));
  const xml = bytes.toString('utf8');
  const elements = manifestElements(xml);
  // In another encoding, characters are not where they seem to be.
  if (elements === undefined || !Buffer.from(xml, 'utf8').equals(bytes)) return undefined;
  const cuts: Edit[] = [];
  let [character, at] = [0, 0];
  for (const { start, end } of elements) {
    const offset = at + Buffer.byteLength(xml.slice(character, start));
    const sizeBytes = Buffer.byteLength(xml.slice(start, end));
    cuts.push(cut(offset, sizeBytes));
    [character, at] = [end, offset + sizeBytes];
  }
  return cutOut(cuts);
}
