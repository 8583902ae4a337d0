import { shortened, type FormatErrorCode } from './format-error.js';
import { importDocument, type TradeDocument } from './import-document.js';
import { type FieldReason, type ImportResult } from './import-report.js';
import { MAX_GROUPED_NAMES } from './limits.js';

/** What became of one document of a catalog. */
export interface DocumentResult {
  /** From 0, in the order of the catalog. */
  readonly index: number;
  readonly document: TradeDocument;
  readonly result: ImportResult;
}

export interface CatalogSummary {
  readonly documents: number;
  readonly understood: { readonly fully: number; readonly partly: number; readonly not: number };
  readonly listings: { readonly models: number; readonly datasets: number };
  /** Why documents were refused, most frequent first. */
  readonly refusals: readonly { readonly code: FormatErrorCode; readonly documents: number }[];
  /** Why fields were not understood, most frequent first. */
  readonly reasons: readonly {
    readonly field: string;
    readonly reason: FieldReason;
    readonly fields: number;
  }[];
  /** License names that nobody knows, most frequent first; work for the alias table. */
  readonly unknownLicenses: readonly { readonly name: string; readonly documents: number }[];
  /** Documents with further unknown names, beyond the limit of names that are counted. */
  readonly furtherUnknownLicenses: number;
}

/**
 * Reads the documents of a catalog one after the other and hands each result on before it reads the next; only counts
 * are kept, so memory does not grow with the catalog.
 * @param tally receives the counts; read `tally.summary()` when the generator has ended
 */
export function* importCatalog(
  documents: Iterable<TradeDocument>,
  tally: CatalogTally,
): Generator<DocumentResult> {
  let index = 0;
  for (const document of documents) {
    const result = importDocument(document);
    tally.add(result);
    yield { index, document, result };
    index += 1;
  }
}

/** Counts results; also for callers that read documents themselves, e.g. from an asynchronous source. */
export class CatalogTally {
  private documents = 0;
  private readonly understood = { fully: 0, partly: 0, not: 0 };
  private readonly listings = { models: 0, datasets: 0 };
  private readonly refusals = new Map<FormatErrorCode, number>();
  private readonly reasons = new Map<string, { field: string; reason: FieldReason; fields: number }>();
  private readonly names = new Map<string, number>();
  private furtherNames = 0;

  add(result: ImportResult): void {
    this.documents += 1;
    if (!result.ok) {
      this.understood.not += 1;
      increase(this.refusals, result.refusal.code);
      return;
    }
    this.understood[result.report.understood] += 1;
    for (const { kind } of result.listings) this.listings[kind === 'model' ? 'models' : 'datasets'] += 1;
    const names = new Set<string>();
    for (const { field, reason, detail } of result.report.fields) {
      if (reason === null) continue;
      this.addReason(field, reason);
      if (reason === 'unknown-name') names.add(shortened(detail));
    }
    for (const name of names) this.addName(name);
  }

  summary(): CatalogSummary {
    const { documents, understood, listings, furtherNames } = this;
    return {
      documents,
      understood: { ...understood },
      listings: { ...listings },
      refusals: mostFirst(this.refusals).map(([code, count]) => ({ code, documents: count })),
      reasons: [...this.reasons.values()].sort((a, b) => b.fields - a.fields || order(a.field, b.field)),
      unknownLicenses: mostFirst(this.names).map(([name, count]) => ({ name, documents: count })),
      furtherUnknownLicenses: furtherNames,
    };
  }

  /** Field names come from the formats, except those of gates, which the field reader never doubts. */
  private addReason(field: string, reason: FieldReason): void {
    const key = `${field} ${reason}`;
    const known = this.reasons.get(key);
    if (known) known.fields += 1;
    else this.reasons.set(key, { field, reason, fields: 1 });
  }

  private addName(name: string): void {
    if (this.names.has(name) || this.names.size < MAX_GROUPED_NAMES) increase(this.names, name);
    else this.furtherNames += 1;
  }
}

function increase<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

/** Most frequent first, equal ones in the order of their names, so that the same catalog gives the same report. */
function mostFirst<Key extends string>(counts: ReadonlyMap<Key, number>): (readonly [Key, number])[] {
  return [...counts].sort(([a, m], [b, n]) => n - m || order(a, b));
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
