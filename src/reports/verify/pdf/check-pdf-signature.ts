import { type X509Certificate } from 'node:crypto';
import { algorithmOfKey } from '../../../provenance/domain/signing-algorithm.js';
import {
  bytesToSign,
  contentDigestOf,
  encodeSignature,
  readSignature,
  valueHolds,
} from '../../adapters/signing/cms-form.js';
import { digestOutsideGap } from '../../adapters/signing/pdf-signature.js';
import { type Checklist } from '../checklist.js';
import { type PdfSignatureParts } from './pdf-file.js';

/** As findings name it. */
export const SIGNATURE_PATH = 'signature of the PDF';

/** What a time-stamp of the signature would be over, and the token where there is one. */
export interface HeldSignature {
  readonly value: Buffer;
  readonly token: Buffer | undefined;
}

/**
 * Whether the certificates signed every byte of the file but the signature itself. All of the signature but its value
 * and its time-stamp follows from the file and the certificates, so it is written again and compared: attributes,
 * names of algorithms, a second signer and everything else that could be put into CMS are answered at once.
 *
 * @returns `undefined`, with a finding, when it does not hold
 */
export function checkPdfSignature(
  pdf: Buffer,
  parts: PdfSignatureParts,
  chain: readonly [X509Certificate, ...X509Certificate[]],
  checklist: Checklist,
): HeldSignature | undefined {
  const fault = (text: string): undefined => {
    checklist.fault(SIGNATURE_PATH, text);
  };
  const { byteRange, gapStart, gapEnd } = parts;
  const whole = [0, gapStart, gapEnd, pdf.length - gapEnd];
  if (JSON.stringify(byteRange) !== JSON.stringify(whole))
    return fault('The signature is not over every byte of the file but itself.');
  const [leaf] = chain;
  const algorithm = algorithmOfKey(leaf.publicKey);
  if (algorithm === undefined) return fault('The key of the certificate is of a kind that signs no reports.');
  const signature = readSignature(Buffer.from(pdf.toString('latin1', gapStart + 1, gapEnd - 1), 'hex'));
  if (signature === undefined) return fault('The signature cannot be read.');
  const { cms, padding, value, token } = signature;
  if (padding.some((byte) => byte !== 0)) return fault('Something follows the signature in its place.');
  const gap = { pdf, start: gapStart + 1, end: gapEnd - 1 };
  const contentDigest = digestOutsideGap(gap, contentDigestOf(algorithm));
  if (!isOurForm(cms, { algorithm, chain, contentDigest, value, token }))
    return fault(
      'The file was changed after it was signed, or the signature is another than that of the report key.',
    );
  if (!valueHolds(algorithm, leaf.publicKey, bytesToSign(contentDigest, leaf), value))
    return fault('The signature does not hold under the certificate.');
  return { value, token };
}

function isOurForm(cms: Buffer, parts: Parameters<typeof encodeSignature>[0]): boolean {
  try {
    return encodeSignature(parts).equals(cms);
  } catch {
    // A token that is none cannot be written again.
    return false;
  }
}
