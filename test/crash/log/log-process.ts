import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { type Command, type ProgramOptions, type Said } from './log-program.js';

type Of<Kind extends Said['said']> = Extract<Said, { said: Kind }>;

/** One life of the program of log-program.ts. */
export class LogProcess {
  readonly acknowledged: Of<'acknowledged'>[] = [];
  readonly refused: Of<'refused'>[] = [];
  readonly trouble: string[] = [];
  private errors = '';
  private ended = false;
  private readonly ready: Promise<void>;
  private readonly exited: Promise<string>;
  private readonly waiting: { resolve: (said: Of<'done'> | 'killed') => void }[] = [];

  constructor(
    file: string,
    options: ProgramOptions,
    private readonly onAcknowledged: (said: Of<'acknowledged'>) => void = () => undefined,
  ) {
    this.child = spawn(process.execPath, [file, JSON.stringify(options)], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.child.stderr?.on('data', (chunk: Buffer) => (this.errors += chunk.toString()));
    // The one to a killed process is broken.
    this.child.stdin?.on('error', () => undefined);
    let becomeReady: () => void = () => undefined;
    this.ready = new Promise((resolve) => (becomeReady = resolve));
    const lines = createInterface({ input: this.child.stdout as NodeJS.ReadableStream });
    lines.on('line', (line) => {
      const said = JSON.parse(line) as Said;
      if (said.said === 'ready') becomeReady();
      else this.hear(said);
    });
    const closed = new Promise((resolve) => lines.once('close', resolve));
    this.exited = new Promise((resolve) => {
      this.child.once('close', (code, signal) => {
        // What it said last is heard before it counts as ended.
        void closed.then(() => {
          this.ended = true;
          becomeReady();
          for (const { resolve: answer } of this.waiting.splice(0)) answer('killed');
          resolve(`${code ?? signal ?? 'gone'}${this.errors === '' ? '' : `: ${this.errors}`}`);
        });
      });
    });
  }

  private readonly child: ChildProcess;

  /** @throws Error when it ends although nobody asked it to die */
  async tell(command: Command): Promise<Of<'done'>> {
    const answer = await this.tellDoomed(command);
    if (answer === 'killed') throw new Error(`the program ended: ${await this.exited}`);
    return answer;
  }

  /** For commands on which it may be killed. */
  async tellDoomed(command: Command): Promise<Of<'done'> | 'killed'> {
    await this.ready;
    if (this.ended) return 'killed';
    return new Promise((resolve) => {
      this.waiting.push({ resolve });
      this.child.stdin?.write(`${JSON.stringify(command)}\n`);
    });
  }

  /** How it ended, with what it said on stderr. */
  end(): Promise<string> {
    return this.exited;
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.exited;
  }

  isAlive(): boolean {
    return !this.ended;
  }

  private hear(said: Exclude<Said, { said: 'ready' }>): void {
    if (said.said === 'done') this.waiting.shift()?.resolve(said);
    else if (said.said === 'trouble') this.trouble.push(said.message);
    else if (said.said === 'refused') this.refused.push(said);
    else {
      this.acknowledged.push(said);
      this.onAcknowledged(said);
    }
  }
}
