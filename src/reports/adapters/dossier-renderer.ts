import { sharp } from '../../assets/adapters/libvips.js';
import { type CertificateRenderer } from '../application/make-certificate.js';
import { type DossierRenderer } from '../application/make-asset-report.js';
import { type DossierPicture } from '../domain/dossier.js';
import { renderDossierJson } from './dossier-json.js';
import { writeEvidenceBundle } from './evidence-bundle.js';

// What draws pages is large, and is loaded when the first report is made.
const PICTURE_SIDE_PIXELS = { large: 640, small: 320 } as const;

export const dossierRenderer: DossierRenderer = {
  pdf: async (dossier, pictures, attached) => {
    const { renderDossierPdf } = await import('./dossier-pdf.js');
    return renderDossierPdf({ dossier, pictures, ...attached });
  },
  json: renderDossierJson,
  bundle: async (dossier, documents, evidence, destinationPath) => {
    await writeEvidenceBundle({ dossier, ...documents, evidence, destinationPath });
  },
  picture: thumbnail,
};

export const certificateRenderer: CertificateRenderer = {
  pdf: async (facts) => {
    const { renderCertificatePdf } = await import('./certificate-pdf.js');
    return renderCertificatePdf(facts);
  },
  picture: thumbnail,
};

/** Transparent parts become white, as on paper. */
async function thumbnail(
  assetId: string,
  path: string,
  size: keyof typeof PICTURE_SIDE_PIXELS = 'large',
): Promise<DossierPicture> {
  const side = PICTURE_SIDE_PIXELS[size];
  const { data, info } = await sharp(path)
    .rotate()
    .resize(side, side, { fit: 'inside', withoutEnlargement: true })
    .flatten({ background: '#ffffff' })
    .jpeg({ quality: 85 })
    .toBuffer({ resolveWithObject: true });
  return { assetId, bytes: data, mediaType: 'image/jpeg', width: info.width, height: info.height };
}
