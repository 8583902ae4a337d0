import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Instance } from '../../../src/identity/application/create-development-organization.js';
import { eventually } from '../../support/eventually.js';

const PROGRAM = fileURLToPath(new URL('../../../dist/src/main.js', import.meta.url));

export interface ProcessOptions {
  readonly home: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Words before `node`, e.g. `setpriv --reuid=...`. */
  readonly prefix?: readonly string[];
}

/** The real program as its own process. */
export class ColophonProcess {
  output = '';
  readonly exited: Promise<number | NodeJS.Signals>;

  private constructor(
    private readonly child: ChildProcess,
    readonly home: string,
  ) {
    const collect = (chunk: Buffer): void => void (this.output += chunk.toString());
    child.stdout?.on('data', collect);
    child.stderr?.on('data', collect);
    this.exited = new Promise((resolve) => {
      child.once('close', (code, signal) => resolve(code ?? signal ?? 'SIGKILL'));
    });
  }

  static spawn({ home, environment, prefix = [] }: ProcessOptions): ColophonProcess {
    const [file = '', ...words] = [...prefix, process.execPath, PROGRAM];
    const child = spawn(file, words, {
      cwd: '/',
      env: {
        PATH: process.env.PATH ?? '',
        COLOPHON_HOME: home,
        PORT: '0',
        LOG_LEVEL: 'warn',
        COLOPHON_STEP_LEASE_SECONDS: '2',
        COLOPHON_REQUESTS_PER_MINUTE: '100000',
        ...environment,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return new ColophonProcess(child, home);
  }

  static async start(options: ProcessOptions): Promise<ColophonProcess> {
    const started = ColophonProcess.spawn(options);
    await started.ready();
    return started;
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  async ready(): Promise<void> {
    let ended: number | NodeJS.Signals | undefined;
    void this.exited.then((end) => (ended = end));
    await eventually(
      'the program is ready',
      () => {
        if (ended !== undefined) throw new Error(`ended with ${ended} while starting:\n${this.output}`);
        return this.output.includes('Colophon is running.') || undefined;
      },
      60_000,
    );
  }

  /** By address: looking a name up waits for a thread, and a test that moves large files keeps those busy. */
  get instance(): Instance {
    const text = readFileSync(join(this.home, 'instance.json'), 'utf8');
    return JSON.parse(text.replace('//localhost:', '//127.0.0.1:')) as Instance;
  }

  /** With the live key unless another one is given. */
  async request(path: string, init: RequestInit & { key?: string } = {}): Promise<Response> {
    const { url, keys } = this.instance;
    const { key = keys.live, headers, ...rest } = init;
    const all = new Headers(headers);
    all.set('authorization', `Bearer ${key}`);
    // No kept connection: one to a killed process would fail the first request to the next one.
    all.set('connection', 'close');
    return fetch(`${url}${path}`, { ...rest, headers: all });
  }

  async json<T>(path: string, init: RequestInit & { key?: string } = {}): Promise<T> {
    const answer = await this.request(path, init);
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${text}`);
    return JSON.parse(text) as T;
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.exited;
  }

  async signal(signal: NodeJS.Signals): Promise<number | NodeJS.Signals> {
    this.child.kill(signal);
    return this.exited;
  }
}

export async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
