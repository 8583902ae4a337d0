import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { ColophonError, ERROR_CODES, type ErrorCode } from '../../shared/errors.js';
import { type TaskResults, type VerificationAnswer, type VerificationJob } from './verification-protocol.js';

/** For the JavaScript side of the child; its native memory is watched by the child itself. */
const MAX_HEAP_MEGABYTES = 256;
const START_DEADLINE_MS = 20_000;

/** The child is gone: by the file, by the kernel, or by whoever ended it. */
export class ChildEndedError extends Error {}

/** What a file is called that ends the child, or makes it say what nobody asked. */
const MALFORMED = {
  verify: 'manifest_malformed',
  reservations: 'manifest_malformed',
  crjson: 'manifest_malformed',
  probe: 'media_corrupt',
  pixels: 'media_corrupt',
} as const satisfies Record<keyof TaskResults, ErrorCode>;

/** Of this task, and of no other: an answer to something that was not asked is none. */
function resultOf<Task extends keyof TaskResults>(
  task: Task,
  answer: VerificationAnswer,
): TaskResults[Task] | undefined {
  const results: Partial<TaskResults> = {
    ...(answer.kind === 'verified' ? { verify: answer.verification } : {}),
    ...(answer.kind === 'read' ? { reservations: answer.reservations } : {}),
    ...(answer.kind === 'represented' ? { crjson: answer.crJson } : {}),
    ...(answer.kind === 'probed' ? { probe: answer.media } : {}),
    ...(answer.kind === 'normalized' ? { pixels: answer.pixels } : {}),
  };
  return results[task];
}

/** One child process. It does one job at a time; after a failure it is dead and must be replaced. */
export class VerificationWorker {
  filesSeen = 0;
  /** What the child was sent and keeps: see {@link VerificationJob.listsKey}. */
  private heldListsKey: string | undefined;
  /** By its own word; the kernel counts for itself. */
  cpuMs = 0;
  private readonly child: ChildProcess;
  private readonly ready: Promise<VerificationAnswer>;
  private alive = true;

  /** @param isolation the command in front of Node that takes away network and bounds memory and processor time */
  constructor(moduleUrl: URL, execArgv: readonly string[], isolation: readonly string[] = []) {
    const [execPath = process.execPath, ...before] = [...isolation, process.execPath];
    this.child = fork(fileURLToPath(moduleUrl), [], {
      execPath,
      execArgv: [...before, ...execArgv, `--max-old-space-size=${String(MAX_HEAP_MEGABYTES)}`],
      // No secrets, no proxies, no library paths of ours reach a process that strangers may take over.
      env: {},
      cwd: '/',
      // A panic of the library writes parts of the file to stderr; our logs are no place for it.
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      serialization: 'json',
    });
    this.child.on('error', () => {
      this.kill();
    });
    this.child.once('exit', () => {
      this.alive = false;
    });
    this.ready = this.nextAnswer(START_DEADLINE_MS);
    this.ready.catch(() => undefined);
  }

  get isAlive(): boolean {
    return this.alive;
  }

  async run<Task extends keyof TaskResults>(
    job: VerificationJob & { readonly task: Task },
    deadlineMs: number,
  ): Promise<TaskResults[Task]> {
    await this.untilReady();
    this.filesSeen += 1;
    this.hold();
    const pending = this.nextAnswer(deadlineMs);
    this.child.send(this.heldListsKey === job.listsKey ? { ...job, lists: undefined } : job);
    this.heldListsKey = job.listsKey;
    const answer = await pending.catch((cause: unknown) => {
      this.kill();
      throw new ColophonError(
        MALFORMED[job.task],
        'The file could not be checked within the limits of time and memory.',
        { cause },
      );
    });
    this.letGo();
    if (typeof answer.cpuMs === 'number') this.cpuMs = answer.cpuMs;
    const result = resultOf(job.task, answer);
    if (result !== undefined) return result;
    if (answer.kind === 'refused' && Object.hasOwn(ERROR_CODES, answer.code)) {
      throw new ColophonError(answer.code, answer.detail);
    }
    // Whoever answers like this is no longer our program.
    this.kill();
    throw new ColophonError(MALFORMED[job.task], 'The file cannot be parsed.');
  }

  kill(): void {
    this.alive = false;
    this.child.kill('SIGKILL');
  }

  /** A child that does not even start is our own fault, not the file's. */
  private async untilReady(): Promise<void> {
    try {
      await this.ready;
    } catch (cause) {
      this.kill();
      throw new ColophonError('reader_unavailable', 'The process that reads files does not start.', {
        cause,
      });
    }
  }

  private nextAnswer(deadlineMs: number): Promise<VerificationAnswer> {
    const { child } = this;
    return new Promise((resolve, reject) => {
      const finish = (settle: () => void): void => {
        clearTimeout(timer);
        child.off('message', onMessage);
        child.off('exit', onExit);
        settle();
      };
      const onMessage = (message: unknown): void => {
        finish(() => {
          resolve(message as VerificationAnswer);
        });
      };
      const onExit = (code: number | null, signal: string | null): void => {
        finish(() => {
          reject(new ChildEndedError(`the child ended with ${signal ?? String(code)}`));
        });
      };
      const timer = setTimeout(() => {
        finish(() => {
          reject(new Error(`no answer within ${String(deadlineMs)} ms`));
        });
      }, deadlineMs);
      child.on('message', onMessage);
      child.on('exit', onExit);
    });
  }

  /** While a file is in work the child keeps this process running; while idle it must not. */
  private hold(): void {
    this.child.ref();
    this.child.channel?.ref();
  }

  private letGo(): void {
    this.child.unref();
    this.child.channel?.unref();
  }
}
