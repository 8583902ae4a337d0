import { placeOf, type Tree, type TreeNode } from './document-tree.js';
import { shortened, type FormatErrorCode, type Place } from './format-error.js';
import { type ImportedListing, type ImportFormat } from './imported-listing.js';
import { type ClaimDoubt, type LicenseClaim } from './license-claim.js';
import { MAX_REPORTED_FIELDS } from './limits.js';

/** Why a field was not understood. The doubts about a license are reasons of their own. */
export const FIELD_REASONS = [
  /** A value that the format does not define. */
  'unknown-value',
  /** It points to something that the document does not contain. */
  'dangling-reference',
  /** The field is missing although nothing can be cleared without it. */
  'missing',
  /** An address of a JSON-LD context; contexts are never fetched. */
  'remote-context',
  /** A hash of an algorithm that is not SHA-256, or not a hash. */
  'other-hash',
] as const;
export type FieldReason = (typeof FIELD_REASONS)[number] | ClaimDoubt;

/** What became of one field of a document. */
export interface FieldReport {
  /** As the format calls it. */
  readonly field: string;
  readonly place: Place;
  /** `not-used`: known or not, it says nothing that a clearance asks for, so it was not read. */
  readonly outcome: 'understood' | 'not-understood' | 'not-used';
  /** What it was understood as; null otherwise. */
  readonly as: string | null;
  readonly reason: FieldReason | null;
  /** The value or the explanation, shortened. */
  readonly detail: string;
}

export interface ImportReport {
  readonly format: ImportFormat;
  /** Version of the format that the document declares; null for cards. */
  readonly formatVersion: string | null;
  readonly fields: readonly FieldReport[];
  /** Fields beyond the limit, not reported one by one. */
  readonly furtherFields: number;
  /** `fully`: every field that was read was understood. `not`: nothing that could become a listing. */
  readonly understood: 'fully' | 'partly' | 'not';
}

export interface Refusal {
  readonly code: FormatErrorCode;
  readonly place: Place;
  readonly message: string;
}

/** What an importer returns. A document is refused as a whole or read field by field; nothing in between is kept. */
export type ImportResult =
  | { readonly ok: true; readonly listings: readonly ImportedListing[]; readonly report: ImportReport }
  | { readonly ok: false; readonly refusal: Refusal };

/** Collects what became of the fields while an importer walks a document. */
export class ReportWriter {
  private readonly fields: FieldReport[] = [];
  private further = 0;
  private doubted = false;

  constructor(
    readonly tree: Tree,
    private readonly format: ImportFormat,
  ) {}

  understood(field: string, node: TreeNode, as: string, detail: string): void {
    this.add({
      field,
      place: this.at(node),
      outcome: 'understood',
      as,
      reason: null,
      detail: shortened(detail),
    });
  }

  notUnderstood(field: string, node: TreeNode, reason: FieldReason, detail: string): void {
    this.doubted = true;
    const place = this.at(node);
    this.add({ field, place, outcome: 'not-understood', as: null, reason, detail: shortened(detail, 200) });
  }

  notUsed(field: string, node: TreeNode): void {
    this.add({ field, place: this.at(node), outcome: 'not-used', as: null, reason: null, detail: '' });
  }

  /** A license claim with each of its doubts. */
  license(field: string, node: TreeNode, as: string, claim: LicenseClaim): void {
    const detail = claim.spdx ?? claim.declared ?? '';
    if (claim.status === 'recognized') this.understood(field, node, as, detail);
    for (const doubt of claim.doubts) this.notUnderstood(field, node, doubt, claim.declared ?? '');
  }

  finish(listings: readonly ImportedListing[], formatVersion: string | null): ImportResult {
    const { fields, further: furtherFields, format } = this;
    const understood = listings.length === 0 ? 'not' : this.doubted ? 'partly' : 'fully';
    return { ok: true, listings, report: { format, formatVersion, fields, furtherFields, understood } };
  }

  private at(node: TreeNode): Place {
    return placeOf(this.tree, node);
  }

  private add(report: FieldReport): void {
    if (this.fields.length < MAX_REPORTED_FIELDS) this.fields.push(report);
    else this.further += 1;
  }
}
