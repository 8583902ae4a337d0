import { readFile } from 'node:fs/promises';
import { type CompletedStep, type Provider, type ProviderRequest } from '../domain/provider.port.js';
import { isStudioOperation, STUDIO_OPERATIONS, type StudioOperation } from './studio/studio-operations.js';

/** Deterministic image work on this machine: done again after a crash, costs nothing. */
export class StudioProvider implements Provider {
  readonly name = 'studio';
  readonly resubmission = 'harmless';
  readonly channel = 'this machine';

  problemWith(request: Parameters<Provider['problemWith']>[0]): string | undefined {
    if (!isStudioOperation(request.endpoint)) return `the studio has no operation "${request.endpoint}"`;
    const operation = STUDIO_OPERATIONS[request.endpoint];
    if (operation.needsImage && !('image' in request.images)) return 'needs an image named "image"';
    const parsed = operation.parameters.safeParse(request.parameters);
    if (parsed.success) return undefined;
    const [issue] = parsed.error.issues;
    return `parameters.${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'invalid'}`;
  }

  async submit(request: ProviderRequest): Promise<CompletedStep> {
    if (!isStudioOperation(request.endpoint))
      throw new Error(`the studio has no operation "${request.endpoint}"`);
    const operation: StudioOperation = STUDIO_OPERATIONS[request.endpoint];
    const image = request.images.image;
    const { bytes } = await operation.run(request.parameters, image ? await readFile(image.path) : undefined);
    return { kind: 'completed', outputs: [{ kind: 'bytes', bytes }], billedUnits: undefined, claims: {} };
  }

  poll(): Promise<never> {
    return Promise.reject(new Error('the studio answers at once'));
  }

  cancel(): Promise<void> {
    return Promise.resolve();
  }
}
