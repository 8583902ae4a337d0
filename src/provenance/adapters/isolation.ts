import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** What the system lets us take away from the process that parses files of strangers. */
export interface Isolation {
  /** Put in front of Node; empty when nothing can be taken away. Absolute paths: the child has no `PATH`. */
  readonly command: readonly string[];
  /** The child has no network: a namespace of its own in which not even the loopback is up. */
  readonly hasNoNetwork: boolean;
  /** The kernel bounds its memory and processor time; otherwise it watches itself, and its parent the clock. */
  readonly hasKernelLimits: boolean;
  /** One sentence for operators. */
  readonly text: string;
}

export interface IsolationLimits {
  readonly memoryLimitBytes: number;
  readonly cpuLimitSeconds: number;
}

const PROBE_TIMEOUT_MS = 5000;
const FOLDERS = ['/usr/bin', '/bin', '/usr/sbin', '/sbin', '/usr/local/bin'];
/** The modules of the child, the stacks of its threads and its heap count as data too, before a byte of a file is read. */
const OWN_DATA_BYTES = 464 * 1024 * 1024;
const MAX_OPEN_FILES = 256;

/**
 * Finds out by trying, once for each set of limits: what works depends on who we are and what the container allows.
 * As root a network namespace needs nothing else; as anybody else it needs a user namespace, which many containers
 * refuse. The parser is set to fetch nothing in any case.
 */
export function findIsolation(limits: IsolationLimits): Promise<Isolation> {
  const key = `${limits.memoryLimitBytes} ${limits.cpuLimitSeconds}`;
  const known = found.get(key) ?? probe(limits);
  found.set(key, known);
  return known;
}

const found = new Map<string, Promise<Isolation>>();

async function probe(limits: IsolationLimits): Promise<Isolation> {
  const [unshare, prlimit] = await Promise.all([programNamed('unshare'), programNamed('prlimit')]);
  const network = await firstThatWorks(
    unshare === undefined
      ? []
      : [
          // A user namespace as root would take away the right to read files of other users.
          ...(process.getuid?.() === 0 ? [[unshare, '--net', '--']] : []),
          [unshare, '--net', '--map-root-user', '--'],
        ],
  );
  const nodeDataBytes = await dataOfBareNode();
  const bounds = await firstThatWorks(
    prlimit === undefined || nodeDataBytes === undefined
      ? []
      : [[prlimit, ...limitArguments(limits, nodeDataBytes), '--']],
  );
  return {
    command: [...network, ...bounds],
    hasNoNetwork: network.length > 0,
    hasKernelLimits: bounds.length > 0,
    text: `${networkText(network.length > 0)}; ${limitText(bounds.length > 0)}`,
  };
}

function networkText(cutOff: boolean): string {
  return cutOff
    ? 'files of strangers are parsed in a process without network'
    : 'files of strangers are parsed in a process that is set to fetch nothing, but whose network this system does not let us take away';
}

function limitText(byKernel: boolean): string {
  return byKernel
    ? 'its memory and processor time are limited by the kernel'
    : 'its memory is watched by itself and its time by us, because prlimit or /proc is missing';
}

/** No core dump of a stranger's file, no file written, no more memory and time than one file may need. */
function limitArguments(
  { memoryLimitBytes, cpuLimitSeconds }: IsolationLimits,
  nodeDataBytes: number,
): string[] {
  return [
    `--data=${memoryLimitBytes + OWN_DATA_BYTES + nodeDataBytes}`,
    `--cpu=${cpuLimitSeconds}`,
    `--nofile=${MAX_OPEN_FILES}`,
    '--core=0',
    '--fsize=0',
  ];
}

/**
 * What counts as data in a Node that does nothing: 50 MB in Node 20, 590 MB in Node 24, whose V8 reserves room for its code.
 * @returns `undefined` where the system does not say
 */
async function dataOfBareNode(): Promise<number | undefined> {
  const program = 'process.stdout.write(require("node:fs").readFileSync("/proc/self/status", "latin1"))';
  const options = { timeout: PROBE_TIMEOUT_MS, env: {} };
  const status = await run(process.execPath, ['--eval', program], options).catch(() => undefined);
  const kibibytes = /^VmData:\s+(\d+) kB$/m.exec(status?.stdout ?? '')?.[1];
  return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
}

async function programNamed(name: string): Promise<string | undefined> {
  for (const folder of FOLDERS) {
    const path = `${folder}/${name}`;
    const isThere = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isThere) return path;
  }
  return undefined;
}

async function firstThatWorks(commands: readonly (readonly string[])[]): Promise<readonly string[]> {
  for (const command of commands) {
    const [program = '', ...rest] = command;
    const works = await run(program, [...rest, process.execPath, '--version'], {
      timeout: PROBE_TIMEOUT_MS,
      env: {},
    }).then(
      ({ stdout }) => stdout.trim() === process.version,
      () => false,
    );
    if (works) return command;
  }
  return [];
}
