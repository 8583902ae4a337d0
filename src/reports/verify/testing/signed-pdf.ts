import { renderDossierJson } from '../../adapters/dossier-json.js';
import { renderDossierPdf } from '../../adapters/dossier-pdf.js';
import { type AssetDossier, type BundleEvidence, type DossierPicture } from '../../domain/dossier.js';
import { DOSSIER_TYPE } from '../../domain/report-kinds.js';
import { type PdfSignaturePlace, type ReportSigner } from '../../domain/report-signature.js';

export interface DossierToSign {
  readonly dossier: AssetDossier;
  readonly evidence: BundleEvidence | undefined;
  readonly pictures: readonly DossierPicture[];
}

export interface SigningChanges {
  /** Signed as the facts in place of them. */
  readonly facts?: Buffer;
  /** `typ` of the signed facts. */
  readonly type?: string;
  /** Signs the facts in place of the signer of the PDF. */
  readonly factsSigner?: ReportSigner;
  readonly place?: Partial<PdfSignaturePlace>;
  /** Changes what is signed, as only who holds the key can. */
  readonly laidOut?: (pdf: Buffer) => Buffer;
}

/** For tests: a dossier as the product prints and signs it. */
export async function signedDossierPdf(
  { dossier, evidence, pictures }: DossierToSign,
  signer: ReportSigner,
  { facts, type = DOSSIER_TYPE, factsSigner = signer, place, laidOut = (pdf) => pdf }: SigningChanges = {},
): Promise<Buffer> {
  const dossierJws = await factsSigner.signJson(facts ?? renderDossierJson(dossier), type);
  const kept = { ...signer.pdfPlace(`Report ${dossier.reportId} as it was made`), ...place };
  const pdf = await renderDossierPdf({ dossier, pictures, dossierJws, evidence, place: kept });
  const { bytes } = await signer.signPdf(laidOut(pdf));
  return bytes;
}

/** Another text of the same length, so that every place in the file still holds. */
export function replaced(pdf: Buffer, from: string, to: string): Buffer {
  const at = pdf.indexOf(from, 0, 'latin1');
  if (at < 0 || from.length !== to.length) throw new Error(`${from} cannot be replaced`);
  const changed = Buffer.from(pdf);
  changed.write(to, at, 'latin1');
  return changed;
}

/** Puts bytes in at a place, and moves every reference and the range of the signature by as much. */
export function inserted(pdf: Buffer, place: number, bytes: string): Buffer {
  const by = bytes.length;
  const text = pdf.toString('latin1');
  const moved = (at: number): number => (at >= place ? at + by : at);
  const whole = `${text.slice(0, place)}${bytes}${text.slice(place)}`
    .replaceAll(/\n(\d{10}) 00000 n /g, (_, at: string) => {
      const to = String(moved(Number(at))).padStart(10, '0');
      return `\n${to} 00000 n `;
    })
    .replace(/startxref\n(\d+)/, (_, at: string) => `startxref\n${moved(Number(at))}`);
  return Buffer.from(whole, 'latin1');
}
