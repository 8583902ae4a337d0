/** Who signs a report: facts of the certificate of the report key, known before anything is drawn. */
export interface ReportSignerIdentity {
  readonly commonName: string;
  readonly issuer: string;
  /** SHA-256 of the DER of the certificate. */
  readonly certificateSha256: string;
  /** Certified by the development authority of this program: it proves no name. */
  readonly isDevelopment: boolean;
}

/** What became of the time-stamp on the signature of a PDF. */
export type ReportTimeStamp = 'stamped' | 'missing' | 'not_configured';

/** What the log and the view of a report say about its signature. */
export interface ReportSignature {
  readonly certificateSha256: string;
  /** `undefined` for what carries none by its form (JWS). */
  readonly timeStamp: ReportTimeStamp | undefined;
}

/** Where in a PDF the signature goes, and what stands beside it. */
export interface PdfSignaturePlace {
  /** So many bytes of CMS fit in. */
  readonly roomBytes: number;
  readonly signedAt: Date;
  readonly name: string;
  readonly reason: string;
}

/** One report is signed by one key, also when the keys change over meanwhile. */
export interface ReportSigner {
  readonly identity: ReportSignerIdentity;
  /** What the PDF must be laid out for. */
  pdfPlace(reason: string): PdfSignaturePlace;
  /**
   * PAdES (ETSI EN 319 142-1) baseline B-B, and B-T where an authority is configured.
   * @param pdf laid out with {@link pdfPlace}
   * @throws ColophonError `signer_unavailable`, `time_stamp_unavailable`
   */
  signPdf(pdf: Buffer): Promise<{ readonly bytes: Buffer; readonly timeStamp: ReportTimeStamp }>;
  /**
   * Compact JWS (RFC 7515) with the certificate chain in its header.
   * @param type the `typ`: the media type of the payload without `application/`
   * @throws ColophonError `signer_unavailable`
   */
  signJson(payload: Buffer, type: string): Promise<Buffer>;
}

/**
 * For a report of this organization, whose log names the key from now on, if it did not before.
 * @throws ColophonError `signer_unavailable`, whose message says what the operator has to do
 */
export type OpenReportSigner = (organizationId: string) => Promise<ReportSigner>;
