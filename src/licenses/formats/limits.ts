/** Limits against hostile documents. Real cards and BOMs stay far below; a refusal names the limit. */

/** A whole BOM, SPDX or Croissant document. */
export const MAX_DOCUMENT_BYTES = 8 * 1024 * 1024;
/** A card with its Markdown body, of which only the header is read. */
export const MAX_CARD_BYTES = 2 * 1024 * 1024;
/** The worst YAML costs about ten seconds per megabyte, so the header is bounded before it is parsed. */
export const MAX_HEADER_BYTES = 128 * 1024;
/** Collections in each other. */
export const MAX_DEPTH = 64;
/** A YAML block level needs a column at least; deeper indentation is refused before anything is composed. */
export const MAX_INDENT = 256;
/** Values of any kind in one document. */
export const MAX_NODES = 200_000;
export const MAX_NAME_CHARS = 300;
/** Free text that is kept (collection process, intended use); longer text is refused where it is read. */
export const MAX_PROSE_CHARS = 20_000;
export const MAX_EXPRESSION_CHARS = 500;
/** Licenses in one license set of SPDX, sets within sets included. */
export const MAX_LICENSES_OF_SET = 50;
/** Entries of one list that is read: bases, datasets, tags, licenses. */
export const MAX_LIST_ITEMS = 1_000;
export const MAX_LISTINGS_PER_DOCUMENT = 5_000;
/** Fields of one document that a report names one by one; the rest is counted. */
export const MAX_REPORTED_FIELDS = 500;
/** Different names that a catalog summary counts one by one; the rest is counted together. */
export const MAX_GROUPED_NAMES = 1_000;
