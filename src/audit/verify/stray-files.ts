import { isTileWithin, parseTilePath, type Tile, tilePath, TILE_WIDTH, tileWidth } from '../core/tiles.js';
import { type LogFinding, type LogSource } from './log-report.js';

/** What a write that was killed leaves behind: nobody asks for it by this name. */
const TEMPORARY = /(^|\/)\.[0-9a-f]{8}-[0-9a-f-]{27}$/;

/**
 * Files of a log that its tree does not need: nothing that was checked says anything about them, and somebody may be
 * shown them as tiles of the log. Earlier partial forms are no fault where they are how the later form begins.
 *
 * @param sizeNow entries under the checkpoint that lies there now: the log may have grown while it was checked
 */
export async function findStrayFiles(
  source: LogSource,
  size: number,
  sizeNow: () => Promise<number>,
  report: (finding: LogFinding) => void,
): Promise<void> {
  const beyond: { path: string; tile: Tile }[] = [];
  for (const path of (await source.list?.()) ?? []) {
    if (TEMPORARY.test(path)) continue;
    const tile = parseTilePath(path);
    if (tile === undefined) {
      report({ code: 'stray_file', path, detail: 'a log has no file of this name' });
    } else if (!isTileWithin(tile, size)) beyond.push({ path, tile });
    else if (tile.width < tileWidth(tile.level, tile.index, size))
      await compareEarlier(source, path, tile, size, report);
  }
  const now = beyond.length === 0 ? size : Math.max(size, await sizeNow());
  for (const { path, tile } of beyond)
    if (!isTileWithin(tile, now))
      report({
        code: 'stray_file',
        path,
        detail:
          'no signed checkpoint covers this file: a publication was interrupted and did not go on, or somebody put it there',
      });
}

/** Hashes follow one another, and so do entries, each after its length. */
async function compareEarlier(
  source: LogSource,
  path: string,
  tile: Tile,
  size: number,
  report: (finding: LogFinding) => void,
): Promise<void> {
  const later = { ...tile, width: tileWidth(tile.level, tile.index, size) };
  const found = await source.read(path);
  const whole =
    (await source.read(tilePath(later))) ?? (await source.read(tilePath({ ...tile, width: TILE_WIDTH })));
  // One that is missing was told of before.
  if (found === undefined || whole === undefined) return;
  if (Buffer.compare(found, whole.subarray(0, found.length)) === 0) return;
  const code = tile.level === 'entries' ? 'bundle_mismatch' : 'tile_mismatch';
  report({ code, path, detail: `it is not how ${tilePath(later)} begins` });
}
