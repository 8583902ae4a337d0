import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { processorMs } from './processor-time.js';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Instance } from '../src/identity/application/create-development-organization.js';

const PROGRAM = fileURLToPath(new URL('../src/main.js', import.meta.url));
const POLL_MS = 200;
const START_DEADLINE_MS = 120_000;

/** The program as users start it, in a process of its own, whose memory is nobody else's. Linux only. */
export class ServerProcess {
  private constructor(
    private readonly child: ChildProcess,
    private readonly instance: Instance & { readonly url: string },
  ) {}

  /** @param nodeArguments of Node, e.g. `--cpu-prof` */
  static async start(
    environment: Readonly<Record<string, string>>,
    nodeArguments: readonly string[] = [],
  ): Promise<ServerProcess> {
    const child = spawn(process.execPath, [...nodeArguments, PROGRAM], {
      env: {
        PATH: process.env.PATH ?? '',
        PORT: '0',
        LOG_LEVEL: 'error',
        COLOPHON_REQUESTS_PER_MINUTE: '10000000',
        ...environment,
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()));
    for (let waitedMs = 0; !output.includes('Colophon is running.'); waitedMs += POLL_MS) {
      if (child.exitCode !== null || waitedMs > START_DEADLINE_MS)
        throw new Error(`the server did not start:\n${output}`);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    const file = join(environment.COLOPHON_HOME ?? '', 'instance.json');
    return new ServerProcess(child, JSON.parse(readFileSync(file, 'utf8')) as Instance & { url: string });
  }

  get url(): string {
    return this.instance.url;
  }

  get organizationId(): string {
    return this.instance.organizationId;
  }

  get projectId(): string {
    return this.instance.projectId;
  }

  get vkey(): string {
    return this.instance.log.vkey;
  }

  get key(): string {
    return this.instance.keys.live;
  }

  /** Most memory that was resident at once since the start. */
  peakRssBytes(): number {
    const status = readFileSync(`/proc/${this.child.pid ?? 0}/status`, 'utf8');
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
  }

  /** Used by the server and its children so far. */
  processorMs(): number {
    return processorMs(this.child.pid ?? 0);
  }

  /** Waits until a checkpoint of at least this size is published. */
  async published(size: number): Promise<void> {
    for (;;) {
      const response = await fetch(`${this.url}/logs/${this.organizationId}/checkpoint`);
      const [, published] = (await response.text()).split('\n');
      if (Number(published) >= size) return;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  async stop(): Promise<void> {
    this.child.kill('SIGTERM');
    if (this.child.exitCode === null) await once(this.child, 'exit');
  }
}
