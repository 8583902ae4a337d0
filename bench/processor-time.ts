import { readdirSync, readFileSync } from 'node:fs';

/** `USER_HZ` of Linux on every architecture that Node runs on. */
const MS_PER_TICK = 10;

interface ProcessTimes {
  readonly parent: number;
  readonly ticks: number;
}

/** Processor time of a process, of those it started, and of those of them that have ended. Linux only: proc(5). */
export function processorMs(root: number): number {
  const processes = new Map<number, ProcessTimes>();
  for (const name of readdirSync('/proc')) {
    const times = /^\d+$/.test(name) ? timesOf(name) : undefined;
    if (times) processes.set(Number(name), times);
  }
  let ticks = 0;
  for (const [pid, { ticks: own }] of processes) if (descends(processes, pid, root)) ticks += own;
  return ticks * MS_PER_TICK;
}

/** Of a backend of PostgreSQL: the server. */
export function parentOf(pid: number): number {
  return timesOf(String(pid))?.parent ?? 0;
}

function timesOf(pid: string): ProcessTimes | undefined {
  try {
    // The name of the program stands in brackets and may hold anything; fields are counted after it, from the third.
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = text
      .slice(text.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    const [userTime = 0, systemTime = 0, childrenUser = 0, childrenSystem = 0] = fields.slice(11, 15);
    return { parent: fields[1] ?? 0, ticks: userTime + systemTime + childrenUser + childrenSystem };
  } catch {
    return undefined;
  }
}

function descends(processes: ReadonlyMap<number, ProcessTimes>, pid: number, root: number): boolean {
  for (let at = pid; at > 1; at = processes.get(at)?.parent ?? 0) if (at === root) return true;
  return false;
}
