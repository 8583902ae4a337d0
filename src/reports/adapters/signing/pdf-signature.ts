import { createHash } from 'node:crypto';
import { type PdfSignaturePlace } from '../../domain/report-signature.js';

/**
 * A signature in a PDF (ISO 32000-1 section 12.8): a dictionary whose `Contents` is filled in last, because the
 * signature is over all bytes but its own. The file is written once, with room; nothing is appended later.
 */

/** Ten digits, so that every real offset fits in its place. */
const UNKNOWN_OFFSET = 9_999_999_999;
const BYTE_RANGE = `/ByteRange [0 ${UNKNOWN_OFFSET} ${UNKNOWN_OFFSET} ${UNKNOWN_OFFSET}]`;
/** Signatures exist, and the file may only be appended to (ISO 32000-1 table 219). */
const SIGNATURES_EXIST_APPEND_ONLY = 3;
/** Print and Locked (table 165). PDF/A wants Print, and neither Hidden nor NoView (ISO 19005-3 section 6.3.2). */
const PRINT_LOCKED = 4 | 128;

interface PdfReference {
  end(): void;
}

/** What the library has and its type declaration lacks. */
interface FormInternals {
  ref(data: object): PdfReference;
  readonly page: { readonly annotations: PdfReference[]; readonly dictionary: PdfReference };
  readonly _root: { readonly data: Record<string, unknown> };
  _acroform?: { readonly fonts: object; readonly defaultFont: string };
}

/**
 * Adds the one signature field to the current page. It has no size, so it needs no appearance (ISO 19005-3 section
 * 6.3.3): who signed is text on the pages, and a picture of a signature proves nothing.
 */
export function reserveSignature(doc: PDFKit.PDFDocument, place: PdfSignaturePlace): void {
  const internals = doc as unknown as FormInternals;
  const signature = internals.ref({
    Type: 'Sig',
    Filter: 'Adobe.PPKLite',
    SubFilter: 'ETSI.CAdES.detached',
    ByteRange: [0, UNKNOWN_OFFSET, UNKNOWN_OFFSET, UNKNOWN_OFFSET],
    Contents: new Uint8Array(place.roomBytes),
    M: place.signedAt,
    Name: textString(place.name),
    Reason: textString(place.reason),
  });
  const field = internals.ref({
    Type: 'Annot',
    Subtype: 'Widget',
    FT: 'Sig',
    T: textString('Signature'),
    TU: textString('Signature of this report'),
    Rect: [0, 0, 0, 0],
    F: PRINT_LOCKED,
    P: internals.page.dictionary,
    V: signature,
  });
  internals.page.annotations.push(field);
  // The library ends the form by itself and asks for a font of its fields; this one draws nothing.
  internals._acroform = { fonts: {}, defaultFont: 'none' };
  internals._root.data.AcroForm = internals.ref({
    Fields: [field],
    SigFlags: SIGNATURES_EXIST_APPEND_ONLY,
    DR: { Font: {} },
  });
  signature.end();
  field.end();
}

/** The library writes `String` objects as text and primitive strings as names. */
function textString(text: string): object {
  return Object(text) as object;
}

export interface SignatureGap {
  /** The file with its real byte range, and `Contents` still empty. */
  readonly pdf: Buffer;
  /** Where the hexadecimal digits go. */
  readonly start: number;
  readonly end: number;
}

/** Finds the empty signature and writes its byte range: from the first byte to `<`, from `>` to the last byte. */
export function measureGap(laidOut: Buffer): SignatureGap {
  const pdf = Buffer.from(laidOut);
  const rangeAt = pdf.indexOf(BYTE_RANGE, 0, 'latin1');
  const start = pdf.indexOf('/Contents <', rangeAt, 'latin1') + '/Contents <'.length;
  const end = pdf.indexOf('>', start, 'latin1');
  if (rangeAt < 0 || pdf.indexOf(BYTE_RANGE, rangeAt + 1, 'latin1') >= 0 || end < start)
    throw new Error('the PDF does not have exactly one empty signature');
  const range = `/ByteRange [0 ${start - 1} ${end + 1} ${pdf.length - end - 1}`;
  pdf.write(`${range.padEnd(BYTE_RANGE.length - 1)}]`, rangeAt, 'latin1');
  return { pdf, start, end };
}

export function digestOutsideGap({ pdf, start, end }: SignatureGap, algorithm: string): Buffer {
  return createHash(algorithm)
    .update(pdf.subarray(0, start - 1))
    .update(pdf.subarray(end + 1))
    .digest();
}

/** @throws Error when it does not fit: the file would have to be laid out again */
export function fillGap({ pdf, start, end }: SignatureGap, cms: Buffer): Buffer {
  const hex = cms.toString('hex');
  if (hex.length > end - start) throw new Error(`a signature of ${cms.length} bytes does not fit`);
  pdf.write(hex, start, 'latin1');
  return pdf;
}
