import { ColophonError } from '../shared/errors.js';

/** From `first` to `last`, both included. */
export interface RequestedRange {
  readonly first: number;
  readonly last: number;
}

const ONE_RANGE = /^bytes=(\d{0,15})-(\d{0,15})$/;

/**
 * The part of a file that a request asks for (RFC 9110 section 14.2); `undefined` for all of it: without a range, with
 * several, with one that is no range, and where `If-Range` names another version than the one that is there.
 *
 * @throws ColophonError `range_not_satisfiable` when no byte of the range is there
 */
export function requestedRange(
  headers: { readonly range: string | undefined; readonly ifRange: string | undefined },
  entityTag: string,
  sizeBytes: number,
): RequestedRange | undefined {
  if (headers.ifRange !== undefined && headers.ifRange !== entityTag) return undefined;
  const [, from = '', to = ''] = ONE_RANGE.exec(headers.range?.replaceAll(' ', '') ?? '') ?? [];
  if (from === '' && to === '') return undefined;
  // "bytes=-500": the last 500 bytes.
  const first = from === '' ? Math.max(0, sizeBytes - Number(to)) : Number(from);
  const last = from === '' || to === '' ? sizeBytes - 1 : Math.min(Number(to), sizeBytes - 1);
  if (from !== '' && to !== '' && Number(to) < Number(from)) return undefined;
  if (first >= sizeBytes || first > last) {
    throw new ColophonError('range_not_satisfiable', `The file has ${sizeBytes} bytes.`);
  }
  return { first, last };
}
