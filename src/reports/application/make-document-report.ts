import { writeFile } from 'node:fs/promises';
import { canonicalJson, type JsonValue } from '../../shared/canonical-json.js';
import { type ReportEntity } from '../adapters/report.entity.js';
import { REPORT_MEDIA_TYPES } from '../domain/report-kinds.js';
import {
  type OpenReportSigner,
  type PdfSignaturePlace,
  type ReportSignerIdentity,
} from '../domain/report-signature.js';
import { type MadeReport, type MakesReports, type ReportOrder } from './made-report.js';
import { signatureOf } from './make-asset-report.js';
import { inSteps } from './progress-steps.js';

/** The views of one kind of document. */
export interface DocumentViews<Document> {
  pdf(
    document: Document,
    signed: { readonly json: Buffer; readonly jws: Buffer; readonly place: PdfSignaturePlace },
    /** Told how much is laid out, 0 to 1, by views that take long. */
    progress: (share: number) => Promise<void>,
  ): Promise<Buffer>;
  csv(document: Document): Buffer;
}

/** @property principalIds of whose erasure withdraws the report: it shows their names, their words, or titles of files that they sent */
export interface CollectedDocument<Document> {
  readonly document: Document;
  readonly principalIds: readonly string[];
}

/** Reports without media files: a campaign, the file on a model. */
export class MakeDocumentReport<Document extends object> implements MakesReports {
  constructor(
    private readonly parts: {
      /** `typ` of its signature. */
      readonly type: string;
      readonly collect: (
        report: ReportEntity,
        signer: ReportSignerIdentity | undefined,
        progress: (share: number) => Promise<void>,
      ) => Promise<CollectedDocument<Document>>;
      readonly views: DocumentViews<Document>;
      readonly openSigner: OpenReportSigner;
      readonly countErasures: (organizationId: string) => Promise<number>;
    },
  ) {}

  async make({ organizationId, report, path, progress }: ReportOrder): Promise<MadeReport> {
    const { views, openSigner, collect, type, countErasures } = this.parts;
    const erasuresBefore = await countErasures(organizationId);
    const signer = ['json', 'csv'].includes(report.format) ? undefined : await openSigner(organizationId);
    // Laying out the pages takes about as long as collecting what is on them.
    const { document, principalIds } = await collect(
      report,
      signer?.identity,
      inSteps((share) => progress(0.05 + 0.45 * share)),
    );
    const shown = { principalIds, erasuresBefore };
    await progress(0.5);
    const mediaType = REPORT_MEDIA_TYPES[report.format];
    const write = (bytes: Buffer): Promise<void> => writeFile(path, bytes, { mode: 0o600 });
    // Through JSON text once: the canonical form has no undefined.
    const json = canonicalJson(JSON.parse(JSON.stringify(document)) as JsonValue);
    if (signer === undefined) {
      await write(report.format === 'csv' ? views.csv(document) : json);
      return { mediaType, shown, signature: undefined };
    }
    const jws = await signer.signJson(json, type);
    if (report.format === 'jws') {
      await write(jws);
      return { mediaType, shown, signature: signatureOf(signer, undefined) };
    }
    const place = signer.pdfPlace('Report as it was made');
    const laidOut = await views.pdf(
      document,
      { json, jws, place },
      inSteps((share) => progress(0.5 + 0.45 * share)),
    );
    const { bytes, timeStamp } = await signer.signPdf(laidOut);
    await write(bytes);
    return { mediaType, shown, signature: signatureOf(signer, timeStamp) };
  }
}
