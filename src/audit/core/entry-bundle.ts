import { TlogError } from './tlog-error.js';
import { TILE_WIDTH } from './tiles.js';

/** Entry bundles of C2SP tlog-tiles: up to 256 entries, each behind its length as a big-endian uint16. */

/** The length prefix has 16 bits, so no entry of a log can be longer. */
export const MAX_ENTRY_BYTES = 65_535;

const LENGTH_BYTES = 2;

/** The largest possible bundle: 256 x (2 + 65,535) bytes. */
export const MAX_BUNDLE_BYTES = TILE_WIDTH * (LENGTH_BYTES + MAX_ENTRY_BYTES);

/** Bundle = concat(uint16_be(length) || entry). @throws TlogError limit_exceeded */
export function encodeBundle(entries: readonly Uint8Array[]): Buffer {
  if (entries.length > TILE_WIDTH)
    throw new TlogError('limit_exceeded', 'a bundle holds at most 256 entries');
  const chunks: Uint8Array[] = [];
  for (const entry of entries) {
    if (entry.length > MAX_ENTRY_BYTES) {
      throw new TlogError('limit_exceeded', `an entry has at most ${MAX_ENTRY_BYTES} bytes`);
    }
    const length = Buffer.alloc(LENGTH_BYTES);
    length.writeUInt16BE(entry.length);
    chunks.push(length, entry);
  }
  return Buffer.concat(chunks);
}

/**
 * The entries of a bundle, as views into its bytes.
 * @throws TlogError malformed unless it holds exactly `width` whole entries and nothing after them
 */
export function decodeBundle(bytes: Uint8Array, width: number): Uint8Array[] {
  const entries: Uint8Array[] = [];
  let offset = 0;
  for (let i = 0; i < width; i++) {
    const [high, low] = [bytes[offset], bytes[offset + 1]];
    if (high === undefined || low === undefined) throw truncated(i, width);
    const start = offset + LENGTH_BYTES;
    offset = start + high * 256 + low;
    if (offset > bytes.length) throw truncated(i, width);
    entries.push(bytes.subarray(start, offset));
  }
  if (offset !== bytes.length) {
    throw new TlogError(
      'malformed',
      `${bytes.length - offset} bytes follow the ${width} entries of the bundle`,
    );
  }
  return entries;
}

function truncated(position: number, width: number): TlogError {
  return new TlogError('malformed', `the bundle ends inside entry ${position} of ${width}`);
}
