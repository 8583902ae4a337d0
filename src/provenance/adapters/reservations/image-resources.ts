/** Photoshop image resources (Adobe Photoshop File Formats Specification): "8BIM", id (2), name, length (4), data. */
const IIM_RESOURCE = 0x0404;
const XMP_RESOURCE = 0x0424;
const MAX_RESOURCES = 4096;

export interface ImageResources {
  readonly iim: readonly Buffer[];
  readonly xmp: readonly Buffer[];
  /** False when they break off, or something else stands between them. */
  readonly isWhole: boolean;
}

export function imageResources(bytes: Buffer): ImageResources {
  const iim: Buffer[] = [];
  const xmp: Buffer[] = [];
  let offset = 0;
  for (let part = 0; offset + 12 <= bytes.length && part < MAX_RESOURCES; part += 1) {
    if (bytes.toString('latin1', offset, offset + 4) !== '8BIM') return { iim, xmp, isWhole: false };
    const id = bytes.readUInt16BE(offset + 4);
    // A Pascal string, padded to even length together with its length byte.
    const nameBytes = 1 + (bytes[offset + 6] ?? 0);
    const lengthAt = offset + 6 + nameBytes + (nameBytes % 2);
    if (lengthAt + 4 > bytes.length) return { iim, xmp, isWhole: false };
    const length = bytes.readUInt32BE(lengthAt);
    const dataAt = lengthAt + 4;
    if (dataAt + length > bytes.length) return { iim, xmp, isWhole: false };
    const data = bytes.subarray(dataAt, dataAt + length);
    if (id === IIM_RESOURCE) iim.push(data);
    if (id === XMP_RESOURCE) xmp.push(data);
    offset = dataAt + length + (length % 2);
  }
  return { iim, xmp, isWhole: offset + 12 > bytes.length };
}

const DATASET_MARK = 0x1c;
/** Application record 2 (IPTC-IIM 4.2): special instructions, and the copyright notice. */
const RIGHTS_DATASETS: ReadonlySet<number> = new Set([40, 116]);
const MAX_DATASETS = 10_000;
const EXTENDED_LENGTH = 0x8000;

/** The texts about rights in IIM records. Their character set is often not declared: what matters here is ASCII. */
export function iimRightsTexts(records: Buffer): {
  readonly texts: readonly string[];
  readonly isWhole: boolean;
} {
  const texts: string[] = [];
  let offset = 0;
  for (let part = 0; offset + 5 <= records.length && part < MAX_DATASETS; part += 1) {
    if (records[offset] !== DATASET_MARK) break;
    const length = records.readUInt16BE(offset + 3);
    const dataAt = offset + 5;
    if (length >= EXTENDED_LENGTH || dataAt + length > records.length) return { texts, isWhole: false };
    if (records[offset + 1] === 2 && RIGHTS_DATASETS.has(records[offset + 2] ?? 0))
      texts.push(decoded(records.subarray(dataAt, dataAt + length)));
    offset = dataAt + length;
  }
  // Writers pad with zeros.
  return { texts, isWhole: records.subarray(offset).every((byte) => byte === 0) };
}

function decoded(bytes: Buffer): string {
  const text = bytes.toString('utf8');
  return text.includes('\ufffd') ? bytes.toString('latin1') : text;
}
