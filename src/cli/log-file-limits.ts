import { MAX_BUNDLE_BYTES } from '../audit/core/entry-bundle.js';
import { MAX_NOTE_BYTES } from '../audit/core/signed-note.js';
import { FULL_TILE_BYTES, parseTilePath } from '../audit/core/tiles.js';

/** The largest honest file of this name in a log. */
export function maxLogFileBytes(path: string): number {
  const tile = parseTilePath(path);
  if (tile === undefined) return MAX_NOTE_BYTES;
  return tile.level === 'entries' ? MAX_BUNDLE_BYTES : FULL_TILE_BYTES;
}
