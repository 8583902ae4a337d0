import { readCroissant } from './croissant-import.js';
import { readCycloneDx } from './cyclonedx-import.js';
import { FormatError } from './format-error.js';
import { readDatasetCard, readModelCard, type CardOrigin } from './hugging-face-card.js';
import { type ImportResult } from './import-report.js';
import { type ImportFormat } from './imported-listing.js';
import { readSpdx } from './spdx-import.js';

/** One document of the trade. The caller says which format it is; the content is not sniffed. */
export interface TradeDocument {
  readonly format: ImportFormat;
  readonly content: Uint8Array | string;
  /** Used by cards, which do not name their own repository; for the others it names the document in reports. */
  readonly origin: CardOrigin;
}

/**
 * Reads one document. Never throws for what stands in it: a document that cannot be trusted is refused with the
 * place of the error, and nothing of it is kept.
 */
export function importDocument({ format, content, origin }: TradeDocument): ImportResult {
  try {
    switch (format) {
      case 'hugging-face-model':
        return readModelCard(content, origin);
      case 'hugging-face-dataset':
        return readDatasetCard(content, origin);
      case 'spdx-3':
        return readSpdx(content);
      case 'cyclonedx':
        return readCycloneDx(content);
      case 'croissant':
        return readCroissant(content);
    }
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    const { code, place, message } = error;
    return { ok: false, refusal: { code, place, message } };
  }
}
