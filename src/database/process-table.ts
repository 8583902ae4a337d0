import { readFileSync } from 'node:fs';
import { systemErrorCode } from '../shared/system-error.js';

/**
 * Whether this process runs. A killed process whose parent has not collected it yet (a zombie: for ever, where a
 * container has no init process) holds nothing any more and counts as ended.
 */
export function isAlive(processId: number): boolean {
  const state = statFields(processId)?.[0];
  if (state === 'Z' || state === 'X') return false;
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    return systemErrorCode(error) === 'EPERM';
  }
}

/** Clock ticks since boot at which the process started (proc(5), field 22); `undefined` where there is no /proc. */
export function processStartTime(processId: number): string | undefined {
  return statFields(processId)?.[19];
}

/** The words of its command line (proc(5)); `undefined` where there is no /proc, empty for a zombie. */
export function commandLine(processId: number): string[] | undefined {
  try {
    return readFileSync(`/proc/${processId}/cmdline`, 'utf8').split('\0').slice(0, -1);
  } catch {
    return undefined;
  }
}

/** proc(5) `stat` from field 3, the state, on. */
function statFields(processId: number): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${processId}/stat`, 'utf8');
    // The second field is the program name in parentheses and may hold spaces: count from behind it.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}
