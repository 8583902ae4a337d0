import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import {
  type Pkcs11Answer,
  Pkcs11Failure,
  type Pkcs11Request,
  type Pkcs11Setup,
  type Pkcs11Task,
} from './pkcs11-protocol.js';

export interface ChildProgram {
  readonly moduleUrl: URL;
  readonly execArgv?: readonly string[];
}

interface Waiting {
  readonly resolve: (value: Buffer) => void;
  readonly reject: (error: Error) => void;
}

interface Child {
  readonly process: ChildProcess;
  readonly waiting: Map<number, Waiting>;
  /** Gets no new work, and ends with the last answer. */
  outgoing: boolean;
}

/** The child that talks to the token: started when it is needed, killed when it does not answer in time. */
export class Pkcs11Process {
  private child: Child | undefined;
  private lastId = 0;

  constructor(
    private readonly program: ChildProgram = { moduleUrl: new URL('./pkcs11-child.js', import.meta.url) },
    /** All that the vendor's library gets: our own environment holds secrets that are none of its business. */
    private readonly environment: Readonly<Record<string, string>> = {},
  ) {}

  /** @throws Pkcs11Failure */
  run(setup: Pkcs11Setup, task: Pkcs11Task, deadlineMs: number): Promise<Buffer> {
    const child = (this.child ??= this.start());
    const id = ++this.lastId;
    return new Promise<Buffer>((resolve, reject) => {
      const timer = setTimeout(() => {
        // It hangs in the vendor's library: nothing else will be answered either.
        this.end(child, 'the token did not answer in time');
      }, deadlineMs);
      const settled = (): void => {
        clearTimeout(timer);
        child.waiting.delete(id);
        if (child.outgoing && child.waiting.size === 0) this.end(child, 'the child was replaced');
      };
      child.waiting.set(id, {
        resolve: (value) => (settled(), resolve(value)),
        reject: (error) => (settled(), reject(error)),
      });
      child.process.send({ id, setup, task } satisfies Pkcs11Request, (error) => {
        if (error) child.waiting.get(id)?.reject(new Pkcs11Failure('token_failed', 'the child ended'));
      });
    });
  }

  /** A later request starts a new child; what the old one is working on is still answered. */
  replace(): void {
    const { child } = this;
    if (child === undefined) return;
    this.child = undefined;
    child.outgoing = true;
    if (child.waiting.size === 0) this.end(child, 'the child was replaced');
  }

  /** What is being waited for fails; a later request starts a new child. */
  close(): void {
    if (this.child !== undefined) this.end(this.child, 'the child was ended');
  }

  private start(): Child {
    const { moduleUrl, execArgv = [] } = this.program;
    const started = fork(fileURLToPath(moduleUrl), {
      execArgv: [...execArgv],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      env: { ...this.environment },
    });
    const child: Child = { process: started, waiting: new Map(), outgoing: false };
    started.on('message', (answer: Pkcs11Answer) => {
      const waiting = child.waiting.get(answer.id);
      if (answer.ok) waiting?.resolve(Buffer.from(answer.value, 'base64'));
      else waiting?.reject(new Pkcs11Failure(answer.problem, answer.detail));
    });
    started.on('error', () => this.end(child, 'the child could not be started'));
    started.on('exit', () => this.end(child, 'the child ended'));
    // An idle token must not keep the service from ending.
    started.unref();
    started.channel?.unref();
    return child;
  }

  private end(child: Child, reason: string): void {
    if (this.child === child) this.child = undefined;
    child.process.kill('SIGKILL');
    for (const waiting of [...child.waiting.values()])
      waiting.reject(new Pkcs11Failure('token_failed', reason));
  }
}
