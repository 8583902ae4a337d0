import { z } from 'zod';
import { type Asset } from '../../../assets/domain/asset.js';
import { type ColophonError } from '../../../shared/errors.js';
import { type Run, type StepRun } from '../../domain/run.js';
import { type FalResultShape } from './fal-result-shape.js';

/** Whose SDKs submit a job and ask for it later. */
export const JOB_VENDORS = ['fal', 'replicate'] as const;
export type JobVendor = (typeof JOB_VENDORS)[number];

/** About what the client of a job can be told. Replicate's words; nothing is ever said about `logs`: there are none. */
export const WEBHOOK_EVENTS = ['start', 'output', 'logs', 'completed'] as const;
export type WebhookEvent = (typeof WEBHOOK_EVENTS)[number];

/** What is kept sealed of a job. */
export const sealedCallSchema = z.strictObject({
  /** As sent, without the files that were inside of it. */
  input: z.record(z.string(), z.unknown()),
  webhookUrl: z.string().optional(),
});
export type SealedCall = z.output<typeof sealedCallSchema>;

/** What a client says about a job beside what is to be made. */
export interface JobRequest {
  readonly vendor: JobVendor;
  /** As the client named it. */
  readonly model: string;
  /** Address of this service as the client reached it, without a trailing slash. */
  readonly baseUrl: string;
  readonly call: SealedCall;
  readonly webhookEvents: readonly WebhookEvent[];
}

/** A model of Replicate and its version. */
export interface DeployedModel {
  /** `owner/name` */
  readonly model: string;
  readonly version: string;
}

/** How a job stands, as far as any client is told. */
export type JobStanding =
  | { readonly kind: 'queued' | 'running' | 'succeeded' | 'canceled' }
  | { readonly kind: 'failed'; readonly error: ColophonError };

/** A job as its client may see it. */
export interface GatewayJob extends Omit<JobRequest, 'call'> {
  readonly run: Run;
  readonly steps: readonly StepRun[];
  /** What was made, in the order in which it was asked for. */
  readonly assets: readonly Asset[];
  readonly standing: JobStanding;
  /** `undefined`: erased at the request of the person it came from. */
  readonly call: SealedCall | undefined;
  /** Of the use case that the job belongs to, as the address names it. */
  readonly useCase: string;
  /** When the first request left for a provider. */
  readonly startedAt: Date | undefined;
  /** How a model of fal answers: by its own answer, or by its schema. `undefined`: not known, or no model of fal. */
  readonly resultShape: FalResultShape | undefined;
  /** What was cleared to run behind a deployment of Replicate. `undefined`: no deployment, or one of the sandbox. */
  readonly deployed: DeployedModel | undefined;
}

export function isOver({ standing }: Pick<GatewayJob, 'standing'>): boolean {
  return standing.kind !== 'queued' && standing.kind !== 'running';
}

/** A readable copy of an input for whoever sent it: files that were inside of it are named by their size alone. */
export function withoutFileBytes(input: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const shown = (value: unknown): unknown => {
    if (typeof value === 'string' && /^\s*data:/i.test(value) && value.length > 256)
      return `${value
        .trim()
        .slice(0, value.trim().indexOf(',') + 1)
        .slice(0, 100)}... (${value.length} characters)`;
    return Array.isArray(value) ? value.map(shown) : value;
  };
  return Object.fromEntries(Object.entries(input).map(([name, value]) => [name, shown(value)]));
}
