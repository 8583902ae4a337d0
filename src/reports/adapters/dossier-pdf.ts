import { type AssetDossier, type DossierPicture } from '../domain/dossier.js';
import { renderDossierJson } from './dossier-json.js';
import { Paper } from './pdf/paper.js';
import { Pictures } from './pdf/pictures.js';
import { drawAnswers } from './pdf/sections/answers.js';
import { drawAuthorship } from './pdf/sections/authorship.js';
import { drawFirstPage, drawGaps } from './pdf/sections/first-page.js';
import { drawClearances, drawModels } from './pdf/sections/licensing.js';
import { drawMaking } from './pdf/sections/making.js';
import { drawObligations } from './pdf/sections/obligations.js';
import { drawApprovals, drawContributions } from './pdf/sections/people.js';
import { drawLimits, drawLog, drawManifest, drawVerification } from './pdf/sections/proof.js';

/**
 * The dossier for people: PDF/A-3a, tagged, with fonts embedded and dossier.json attached (relationship Data). The same
 * dossier and pictures give the same bytes.
 */
export async function renderDossierPdf(request: {
  readonly dossier: AssetDossier;
  readonly pictures: readonly DossierPicture[];
}): Promise<Buffer> {
  const { dossier } = request;
  const createdAt = new Date(dossier.createdAt);
  const paper = new Paper({
    title: `Asset dossier ${asciiId(dossier.asset.id)}`,
    subject: `Report ${asciiId(dossier.reportId)}`,
    producer: `${dossier.product.name} ${dossier.product.version}`.replace(/[^A-Za-z0-9. -]/g, ''),
    createdAt,
  });
  attachJson(paper, dossier, createdAt);
  const pictures = new Pictures(paper, request.pictures);
  drawFirstPage(paper, pictures, dossier);
  drawGaps(paper, dossier);
  drawAnswers(paper, dossier);
  drawMaking(paper, pictures, dossier);
  drawModels(paper, dossier);
  drawClearances(paper, dossier);
  drawObligations(paper, dossier);
  drawContributions(paper, pictures, dossier);
  drawAuthorship(paper, dossier);
  drawApprovals(paper, dossier);
  drawManifest(paper, dossier);
  drawLog(paper, dossier);
  drawVerification(paper, dossier);
  drawLimits(paper);
  return paper.finish(`${dossier.asset.id}   ${dossier.organization.name}`);
}

function attachJson(paper: Paper, dossier: AssetDossier, createdAt: Date): void {
  // The type declaration lacks the relationship (ISO 19005-3 annex E), the library has it.
  const options = {
    name: 'dossier.json',
    type: 'application/json',
    description: 'The facts of this report for machines',
    relationship: 'Data',
    creationDate: createdAt,
    modifiedDate: createdAt,
  };
  paper.doc.file(renderDossierJson(dossier), options);
}

/** The metadata of the file is XML that the library does not escape. */
function asciiId(id: string): string {
  return id.replace(/[^A-Za-z0-9_.:-]/g, '');
}
