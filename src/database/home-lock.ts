import { randomUUID } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemErrorCode } from '../shared/system-error.js';
import { isAlive, processStartTime } from './process-table.js';

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
  acquire(home, file);
  return { release: () => rmSync(file, { force: true }) };
}

function acquire(home: string, file: string): void {
  // A link either appears whole or fails with EEXIST: no reader ever sees a half-written lock.
  const candidate = `${file}.${randomUUID()}`;
  writeFileSync(candidate, `${process.pid} ${processStartTime(process.pid) ?? ''}`, { mode: 0o600 });
  try {
    while (!linkUnlessPresent(candidate, file)) removeIfStale(home, file);
  } finally {
    unlinkSync(candidate);
  }
}

function linkUnlessPresent(candidate: string, file: string): boolean {
  try {
    linkSync(candidate, file);
    return true;
  } catch (error) {
    if (systemErrorCode(error) !== 'EEXIST') throw error;
    return false;
  }
}

/**
 * Of several that find the same stale lock only one may remove it: a slower one would remove the lock that the first
 * has taken meanwhile. So the removal has a lock of its own, under which the holder is looked at again.
 */
function removeIfStale(home: string, file: string): void {
  const holder = readHolder(file);
  if (holder === undefined) return;
  refuseIfHeld(home, holder);
  const removal = `${file}.removal`;
  acquire(home, removal);
  try {
    if (readHolder(file) === holder) rmSync(file, { force: true });
  } finally {
    rmSync(removal, { force: true });
  }
}

function readHolder(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** @throws HomeInUseError when the holder lives */
function refuseIfHeld(home: string, holder: string): void {
  const [idText = '', startTime = ''] = holder.split(' ');
  const processId = Number(idText);
  if (!Number.isSafeInteger(processId) || processId <= 0 || !isAlive(processId)) return;
  const current = processStartTime(processId);
  if (current === undefined || current === startTime) throw new HomeInUseError(home, processId);
}
