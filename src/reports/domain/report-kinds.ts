/** What a report is about, and in which forms it can be had. */
export const REPORT_KINDS = ['asset', 'campaign', 'model', 'period'] as const;
export type ReportKind = (typeof REPORT_KINDS)[number];

export const REPORT_FORMATS = ['pdf', 'json', 'jws', 'bundle', 'csv'] as const;
export type ReportFormat = (typeof REPORT_FORMATS)[number];

export const FORMATS_OF: Readonly<Record<ReportKind, readonly ReportFormat[]>> = {
  asset: ['pdf', 'json', 'jws', 'bundle'],
  campaign: ['pdf', 'json', 'jws', 'csv'],
  model: ['pdf', 'json', 'jws', 'csv'],
  period: ['bundle', 'csv'],
};

/** Forms that carry a signature of the report key, and cannot be made without it. */
export const SIGNED_FORMATS: readonly ReportFormat[] = ['pdf', 'jws', 'bundle'];

export const REPORT_MEDIA_TYPES: Readonly<Record<ReportFormat, string>> = {
  pdf: 'application/pdf',
  json: 'application/json',
  jws: 'application/jose',
  bundle: 'application/zip',
  csv: 'text/csv; charset=utf-8; header=present',
};

export const REPORT_EXTENSIONS: Readonly<Record<ReportFormat, string>> = {
  pdf: 'pdf',
  json: 'json',
  jws: 'jws',
  bundle: 'zip',
  csv: 'csv',
};

/** `typ` of signed reports: media types of their payloads, without `application/`. A signature on one is none on another. */
export const DOSSIER_TYPE = 'vnd.colophon.dossier+json';
/** The list of contents of an evidence bundle. */
export const BUNDLE_TYPE = 'vnd.colophon.evidence-bundle+json';
export const CAMPAIGN_TYPE = 'vnd.colophon.campaign+json';
export const MODEL_FILE_TYPE = 'vnd.colophon.model-file+json';
export const PERIOD_TYPE = 'vnd.colophon.period+json';
