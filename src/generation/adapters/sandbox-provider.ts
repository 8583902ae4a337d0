import type { z } from 'zod';
import { systemClock, type Clock } from '../../shared/clock.js';
import { SANDBOX_OPERATIONS } from '../domain/offering.js';
import { type Operation, OPERATION_FACTS } from '../domain/operation.js';
import {
  type AcceptedStep,
  type CompletedStep,
  type FailedStep,
  OutcomeUnknownError,
  type PlannedRequest,
  type Provider,
  type ProviderOutput,
  type ProviderRequest,
  type RunningStep,
} from '../domain/provider.port.js';
import {
  renderSandboxFile,
  type SandboxDrawing,
  sandboxFileOfOtherKind,
  sandboxGarbage,
} from './sandbox/sandbox-files.js';
import { digestOf, sandboxImageParameters } from './sandbox/sandbox-image.js';
import { sandboxOutcome } from './sandbox/sandbox-outcome.js';

/** Where models take the words they work from. */
const TEXTS = ['prompt', 'text', 'lyrics'] as const;
/** How long `sandbox:slow` takes. */
const SLOW_MS = 3000;
const SLOW_JOB = /^slow-(\d{13,15})-(\d{3,4})-(\d{3,4})-([0-9a-f]{64})(?:-(jpeg|webp))?$/;

/**
 * Plays every operation for test keys: no spend, no AI, and its output says so. Parameters that a paid model would take
 * are ignored, except for size, seed and the type of a picture; a word in the text chooses a failure (docs/sandbox.md).
 */
export class SandboxProvider implements Provider {
  readonly name = 'sandbox';
  readonly resubmission = 'harmless';
  readonly channel = 'sandbox';

  constructor(private readonly clock: Clock = systemClock) {}

  problemWith({ endpoint, parameters, inputs }: PlannedRequest): string | undefined {
    if (operationOf(endpoint) === undefined) return 'the sandbox does not play this operation';
    const works = endpoint === 'edit' || endpoint === 'animate';
    // A film that goes on, or a mouth that moves to a voice, comes without a picture.
    const hasFilm = endpoint === 'animate' && Object.values(inputs).some(({ kind }) => kind === 'video');
    if (works && !hasFilm && inputs.image?.kind !== 'image') return 'needs a picture named "image"';
    const parsed = read(parameters, operationOf(endpoint));
    if (parsed.success) return undefined;
    const [issue] = parsed.error.issues;
    return `parameters.${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'invalid'}`;
  }

  async submit({
    endpoint,
    parameters,
    inputs,
  }: ProviderRequest): Promise<AcceptedStep | CompletedStep | FailedStep> {
    const operation = operationOf(endpoint);
    if (operation === undefined) throw new Error(`the sandbox does not play "${endpoint}"`);
    const {
      prompt,
      seed,
      width,
      height,
      output_format: format,
    } = read(parameters, operation).data ?? sandboxImageParameters.parse(parameters);
    // An edit of another picture gives another picture.
    const seen = Object.values(inputs).map(({ sha256 }) => sha256);
    const drawing = {
      operation,
      digest: digestOf([prompt, ...seen].join('\0'), seed),
      width,
      height,
      format,
    };
    switch (sandboxOutcome(prompt)) {
      case 'file':
        return completed(await renderSandboxFile(drawing));
      case 'slow':
        return { kind: 'accepted', upstreamId: slowJob(drawing, this.clock.now().getTime() + SLOW_MS) };
      case 'upstream-error':
        return failed('upstream_error', 'The text asked the sandbox to fail.');
      case 'upstream-timeout':
        return failed('upstream_timeout', 'The text asked the sandbox to take too long.');
      case 'content-refused':
        return {
          ...failed('upstream_error', 'The text asked the sandbox to refuse it (content_policy_violation).'),
          contentRefusal: { word: 'content_policy_violation', at: 'prompt' },
        };
      case 'busy':
        return {
          ...failed('upstream_error', 'The text asked the sandbox to be busy.'),
          notAccepted: 'rate_limited',
        };
      case 'outcome-unknown':
        throw new OutcomeUnknownError('The text asked the sandbox to lose its answer.');
      case 'invalid-output':
        return completed(sandboxGarbage(drawing.digest));
      case 'empty-output':
        return completed();
      case 'wrong-kind':
        return completed(await sandboxFileOfOtherKind(drawing));
      case 'truncated': {
        const whole = await renderSandboxFile(drawing);
        return completed(whole.subarray(0, Math.floor(whole.length / 2)));
      }
    }
  }

  /** The job's id says when it is done and what it draws: nothing is kept, so it survives a restart. */
  async poll({
    endpoint,
    upstreamId,
  }: {
    endpoint: string;
    upstreamId: string;
  }): Promise<CompletedStep | RunningStep> {
    const operation = operationOf(endpoint);
    const [, readyAtMs, width, height, digest = '', type] = SLOW_JOB.exec(upstreamId) ?? [];
    if (operation === undefined || readyAtMs === undefined) throw new TypeError('not a job of the sandbox');
    const leftMs = Number(readyAtMs) - this.clock.now().getTime();
    if (leftMs > 0) return { kind: 'running', progress: Math.max(0, 1 - leftMs / SLOW_MS) };
    const format = type === 'jpeg' || type === 'webp' ? type : 'png';
    const shape = { width: Number(width), height: Number(height), format } as const;
    return completed(await renderSandboxFile({ operation, digest: Buffer.from(digest, 'hex'), ...shape }));
  }

  cancel(): Promise<void> {
    return Promise.resolve();
  }
}

function slowJob({ width, height, digest, format }: SandboxDrawing, readyAtMs: number): string {
  const type = format === 'png' ? '' : `-${format}`;
  return `slow-${readyAtMs}-${width}-${height}-${digest.toString('hex')}${type}`;
}

function completed(...files: Buffer[]): CompletedStep {
  const outputs: ProviderOutput[] = files.map((bytes) => ({ kind: 'bytes', bytes }));
  return { kind: 'completed', outputs, usage: undefined, claims: { sandbox: true } };
}

function failed(code: FailedStep['code'], reason: string): FailedStep {
  return { kind: 'failed', code, reason };
}

function operationOf(endpoint: string): Operation | undefined {
  return SANDBOX_OPERATIONS.find((played) => played === endpoint);
}

/** Size, seed and type as they are asked for, and all the words in one text. */
function read(
  parameters: Readonly<Record<string, unknown>>,
  operation: Operation | undefined,
): z.ZodSafeParseResult<z.output<typeof sandboxImageParameters>> {
  const texts = TEXTS.map((name) => parameters[name]).filter((text) => text !== undefined);
  const prompt =
    texts.every((text) => typeof text === 'string') && texts.length > 0 ? texts.join('\n') : texts[0];
  const { width, height, seed, output_format: type } = parameters;
  // Of a sound or a film the types are the vendor's matter: one is played, whatever is asked for.
  const makesPicture = operation !== undefined && OPERATION_FACTS[operation].makes === 'image';
  const named = makesPicture ? { output_format: typeof type === 'string' ? type.toLowerCase() : type } : {};
  const given = Object.entries({ width, height, seed, ...named }).filter(([, value]) => value !== undefined);
  return sandboxImageParameters.safeParse({ prompt, ...Object.fromEntries(given) });
}
