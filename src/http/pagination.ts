import { z } from 'zod';
import { ColophonError } from '../shared/errors.js';

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 200;

export const pageQuerySchema = z.strictObject({
  cursor: z.string().max(200).optional(),
  limit: z.coerce.number().int().min(1).max(MAX_LIMIT).default(DEFAULT_LIMIT),
});
export type PageQuery = z.infer<typeof pageQuerySchema>;

export interface Page<Item> {
  readonly items: readonly Item[];
  /** Send it back as `cursor` for the next page; `null` on the last one. */
  readonly nextCursor: string | null;
}

/** The cursor is the sort key of the last item, so a page never skips or repeats what others insert meanwhile. */
export function encodeCursor(sortKey: string): string {
  return Buffer.from(sortKey, 'utf8').toString('base64url');
}

/** @throws ColophonError `invalid_cursor` when the decoded sort key does not look like one. */
export function decodeCursor(cursor: string | undefined, pattern: RegExp): string | undefined {
  if (cursor === undefined) return undefined;
  const sortKey = Buffer.from(cursor, 'base64url').toString('utf8');
  if (!pattern.test(sortKey))
    throw new ColophonError('invalid_cursor', 'The cursor was not made by this service.');
  return sortKey;
}

export const UUID_SORT_KEY = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
export const INDEX_SORT_KEY = /^\d{1,15}$/;

/** `rows` were fetched with `limit + 1`: the extra one only tells that there is more. */
export function toPage<Row, Item>(
  rows: readonly Row[],
  limit: number,
  sortKey: (row: Row) => string,
  view: (row: Row) => Item,
): Page<Item> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const more = rows.length > limit && last !== undefined;
  return { items: shown.map(view), nextCursor: more ? encodeCursor(sortKey(last)) : null };
}
