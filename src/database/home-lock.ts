import { linkSync, mkdirSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemErrorCode } from '../shared/system-error.js';

export class HomeInUseError extends Error {
  constructor(home: string, processId: number) {
    super(
      `Another Colophon (process ${processId}) is using ${home}. Stop it first, or set COLOPHON_HOME to another folder.`,
    );
    this.name = 'HomeInUseError';
  }
}

export interface HomeLock {
  release(): void;
}

/**
 * One process per home. The lock file names its holder by process id and start time, so that a lock left behind
 * by a killed process is recognized even when the id has been given to another program since.
 */
export function lockHome(home: string): HomeLock {
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const file = join(home, 'lock');
  const own = `${process.pid} ${processStartTime(process.pid) ?? ''}`;
  // A link either appears whole or fails with EEXIST: no reader ever sees a half-written lock.
  const candidate = `${file}.${process.pid}`;
  writeFileSync(candidate, own, { mode: 0o600 });
  try {
    for (let attempt = 0; attempt < 3; attempt++) {
      try {
        linkSync(candidate, file);
        return { release: () => rmSync(file, { force: true }) };
      } catch (error) {
        if (systemErrorCode(error) !== 'EEXIST') throw error;
        removeIfStale(home, file);
      }
    }
    throw new HomeInUseError(home, Number(readFileSync(file, 'utf8').split(' ')[0]));
  } finally {
    unlinkSync(candidate);
  }
}

function removeIfStale(home: string, file: string): void {
  let holder: string;
  try {
    holder = readFileSync(file, 'utf8');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return;
    throw error;
  }
  const [idText = '', startTime = ''] = holder.split(' ');
  const processId = Number(idText);
  if (Number.isSafeInteger(processId) && processId > 0 && isAlive(processId)) {
    const current = processStartTime(processId);
    if (current === undefined || current === startTime) throw new HomeInUseError(home, processId);
  }
  rmSync(file, { force: true });
}

function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    return systemErrorCode(error) === 'EPERM';
  }
}

/** Clock ticks since boot at which the process started (proc(5), field 22); `undefined` where there is no /proc. */
function processStartTime(processId: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${processId}/stat`, 'utf8');
    // The second field is the program name in parentheses and may hold spaces: count from behind it.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}
