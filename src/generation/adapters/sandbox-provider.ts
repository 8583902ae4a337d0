import {
  type CompletedStep,
  type FailedStep,
  OutcomeUnknownError,
  type Provider,
  type ProviderRequest,
} from '../domain/provider.port.js';
import {
  renderSandboxImage,
  sandboxGarbage,
  sandboxImageParameters,
  sandboxOutcome,
  truncatedSandboxImage,
} from './sandbox/sandbox-image.js';

/** Parameters that a paid model would take; the sandbox draws a test card of the asked size and ignores the rest. */
const RELEVANT = ['prompt', 'width', 'height', 'seed'] as const;

/** Plays a generator for test keys: no spend, no AI, and its output says so. */
export class SandboxProvider implements Provider {
  readonly name = 'sandbox';
  readonly resubmission = 'harmless';
  readonly channel = 'sandbox';

  problemWith(request: Parameters<Provider['problemWith']>[0]): string | undefined {
    const parsed = sandboxImageParameters.safeParse(relevant(request.parameters));
    if (parsed.success) return undefined;
    const [issue] = parsed.error.issues;
    return `parameters.${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'invalid'}`;
  }

  async submit(request: ProviderRequest): Promise<CompletedStep | FailedStep> {
    const parameters = sandboxImageParameters.parse(relevant(request.parameters));
    const outcome = sandboxOutcome(parameters.prompt);
    switch (outcome) {
      case 'fail-upstream':
        return { kind: 'failed', code: 'upstream_error', reason: 'The prompt asked the sandbox to fail.' };
      case 'timeout':
        throw new OutcomeUnknownError('The prompt asked the sandbox to lose its answer.');
      case 'garbage':
        return completed(sandboxGarbage(parameters.prompt));
      case 'truncated':
        return completed(await truncatedSandboxImage(parameters));
      case 'image':
        return completed((await renderSandboxImage(parameters)).bytes);
    }
  }

  poll(): Promise<never> {
    return Promise.reject(new Error('the sandbox answers at once'));
  }

  cancel(): Promise<void> {
    return Promise.resolve();
  }
}

function completed(bytes: Buffer): CompletedStep {
  return {
    kind: 'completed',
    outputs: [{ kind: 'bytes', bytes }],
    billedUnits: undefined,
    claims: { sandbox: true },
  };
}

function relevant(parameters: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    RELEVANT.flatMap((name) => (name in parameters ? [[name, parameters[name]]] : [])),
  );
}
