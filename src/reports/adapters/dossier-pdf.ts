import { type AssetDossier, type BundleEvidence, type DossierPicture } from '../domain/dossier.js';
import { type PdfSignaturePlace } from '../domain/report-signature.js';
import { attachDossier, attachEvidence } from './pdf/attachments.js';
import { Paper } from './pdf/paper.js';
import { Pictures } from './pdf/pictures.js';
import { drawAnswers } from './pdf/sections/answers.js';
import { drawAuthorship } from './pdf/sections/authorship.js';
import { drawDiligence } from './pdf/sections/diligence.js';
import { drawFirstPage, drawGaps } from './pdf/sections/first-page.js';
import { drawClearances, drawModels } from './pdf/sections/licensing.js';
import { drawMaking } from './pdf/sections/making.js';
import { drawObligations } from './pdf/sections/obligations.js';
import { drawApprovals, drawContributions } from './pdf/sections/people.js';
import { drawLimits, drawLog, drawManifest, drawVerification } from './pdf/sections/proof.js';

export interface DossierPdfRequest {
  readonly dossier: AssetDossier;
  readonly pictures: readonly DossierPicture[];
  readonly dossierJws?: Buffer | undefined;
  /** Attached; without it only the facts are. */
  readonly evidence?: BundleEvidence | undefined;
  /** Kept for the signature. */
  readonly place?: PdfSignaturePlace | undefined;
}

/**
 * The dossier for people: PDF/A-3a, tagged, with fonts embedded and the facts and their evidence attached. The same
 * request gives the same bytes.
 */
export async function renderDossierPdf(request: DossierPdfRequest): Promise<Buffer> {
  const { dossier } = request;
  const createdAt = new Date(dossier.createdAt);
  const paper = new Paper({
    title: `Asset dossier ${asciiId(dossier.asset.id)}`,
    subject: `Report ${asciiId(dossier.reportId)}`,
    producer: `${dossier.product.name} ${dossier.product.version}`.replace(/[^A-Za-z0-9. -]/g, ''),
    createdAt,
  });
  attachDossier(paper, dossier, request.dossierJws);
  const attached = request.evidence && (await attachEvidence(paper, dossier, request.evidence));
  const pictures = new Pictures(paper, request.pictures);
  drawFirstPage(paper, pictures, dossier);
  drawGaps(paper, dossier);
  drawAnswers(paper, dossier);
  drawMaking(paper, pictures, dossier);
  drawModels(paper, dossier);
  drawClearances(paper, dossier);
  drawObligations(paper, dossier);
  drawDiligence(paper, dossier);
  drawContributions(paper, pictures, dossier);
  drawAuthorship(paper, dossier);
  drawApprovals(paper, dossier);
  drawManifest(paper, dossier);
  drawLog(paper, dossier);
  drawVerification(paper, dossier, attached);
  drawLimits(paper);
  return paper.finish(`${dossier.asset.id}   ${dossier.organization.name}`, request.place);
}

/** The metadata of the file is XML that the library does not escape. */
function asciiId(id: string): string {
  return id.replace(/[^A-Za-z0-9_.:-]/g, '');
}
