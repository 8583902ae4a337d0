import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import { ColophonError } from '../../shared/errors.js';
import { type CompletedStep, type Provider, type ProviderRequest } from '../domain/provider.port.js';
import { isStudioOperation, STUDIO_OPERATIONS } from './studio/studio-operations.js';
import { type StudioAnswer, type StudioJob } from './studio/studio-thread.js';

export interface StudioProviderOptions {
  /** The compiled module that the threads run. */
  readonly threadModuleUrl?: URL;
  readonly maxThreads?: number;
}

const IDLE_TIMEOUT_MS = 30_000;

/** Deterministic image work on this machine, in threads of its own: done again after a crash, costs nothing. */
export class StudioProvider implements Provider {
  readonly name = 'studio';
  readonly resubmission = 'harmless';
  readonly channel = 'this machine';
  private readonly threads: Piscina<StudioJob, StudioAnswer>;

  constructor({ threadModuleUrl, maxThreads = 2 }: StudioProviderOptions = {}) {
    const url = threadModuleUrl ?? new URL('./studio/studio-thread.js', import.meta.url);
    this.threads = new Piscina({
      filename: fileURLToPath(url),
      minThreads: 0,
      maxThreads,
      idleTimeout: IDLE_TIMEOUT_MS,
    });
  }

  problemWith(request: Parameters<Provider['problemWith']>[0]): string | undefined {
    if (!isStudioOperation(request.endpoint)) return `the studio has no operation "${request.endpoint}"`;
    const operation = STUDIO_OPERATIONS[request.endpoint];
    if (operation.needsImage && request.inputs.image?.kind !== 'image')
      return 'needs a picture named "image"';
    const parsed = operation.parameters.safeParse(request.parameters);
    if (parsed.success) return undefined;
    const [issue] = parsed.error.issues;
    return `parameters.${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'invalid'}`;
  }

  async submit({ endpoint, parameters, inputs }: ProviderRequest): Promise<CompletedStep> {
    if (!isStudioOperation(endpoint)) throw new Error(`the studio has no operation "${endpoint}"`);
    const image = inputs.image ? await readFile(inputs.image.path) : undefined;
    const answer = await this.threads.run({ operation: endpoint, parameters, image });
    if ('refused' in answer) throw new ColophonError(answer.refused.code, answer.refused.message);
    return {
      kind: 'completed',
      outputs: [{ kind: 'bytes', bytes: Buffer.from(answer.bytes) }],
      usage: undefined,
      claims: {},
    };
  }

  poll(): Promise<never> {
    return Promise.reject(new Error('the studio answers at once'));
  }

  cancel(): Promise<void> {
    return Promise.resolve();
  }

  /** Ends the threads. */
  async close(): Promise<void> {
    await this.threads.destroy();
  }
}
