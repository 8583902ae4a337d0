import { readFileSync, realpathSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { systemErrorCode } from '../shared/system-error.js';
import { commandLine, isAlive } from './process-table.js';

/**
 * Whether a server is still working on this data folder, by its `postmaster.pid` (first line: process id).
 *
 * After a crash of the machine the id may belong to another program by now. `pg_ctl stop` would send that program a
 * signal, and the server would refuse to start because "another postmaster" lives; so such a file is removed.
 */
export function hasLeftoverPostmaster(dataDirectory: string): boolean {
  const file = join(dataDirectory, 'postmaster.pid');
  let firstLine: string | undefined;
  try {
    [firstLine] = readFileSync(file, 'utf8').split('\n');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return false;
    throw error;
  }
  const processId = Number(firstLine);
  // The server itself removes a file that names nobody; it also looks for children that outlived their postmaster.
  if (!Number.isSafeInteger(processId) || processId <= 0 || !isAlive(processId)) return false;
  const words = commandLine(processId);
  if (words === undefined || mayServe(words, dataDirectory)) return true;
  rmSync(file, { force: true });
  return false;
}

/** Only what is certainly something else is denied: another program, or a server of another existing folder. */
function mayServe(words: readonly string[], dataDirectory: string): boolean {
  if (basename(words[0] ?? '') !== 'postgres') return false;
  const folder = words[words.indexOf('-D') + 1];
  if (!words.includes('-D') || folder === undefined) return true;
  try {
    return realpathSync(folder) === realpathSync(dataDirectory);
  } catch {
    return true;
  }
}
