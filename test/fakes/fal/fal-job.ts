import { type FaultPlan, type ResultTrouble } from './fault-plan.js';
import { type PictureRequest } from './product-picture.js';

/** One accepted request in the queue of the fake. */
export interface FalJob {
  readonly requestId: string;
  /** As submitted, with sub-path. */
  readonly endpoint: string;
  readonly plan: FaultPlan;
  readonly pictures: readonly PictureRequest[];
  readonly webhookUrl: string | undefined;
  pollsLeft: number;
  /** Troubles of the plan that are still to come. */
  readonly troubles: ResultTrouble[];
  canceled: boolean;
}

/** `fal-ai/flux/dev` -> `fal-ai/flux`: the queue addresses jobs without the sub-path. */
export function appOf(endpoint: string): string {
  return endpoint.split('/').slice(0, 2).join('/');
}

const PRESET_SIZES: Readonly<Record<string, readonly [number, number]>> = {
  square: [512, 512],
  square_hd: [1024, 1024],
  portrait_4_3: [768, 1024],
  landscape_4_3: [1024, 768],
};

/** The pictures that an input asks for. Unknown parameters are ignored, as most model endpoints do. */
export function picturesFor(input: Readonly<Record<string, unknown>>): PictureRequest[] {
  const [width, height] = sizeOf(input['image_size']);
  const count = boundedInteger(input['num_images'], 1, 4, 1);
  return Array.from({ length: count }, (_unused, index) => ({
    prompt: typeof input['prompt'] === 'string' ? input['prompt'] : JSON.stringify(input),
    seed: boundedInteger(input['seed'], 0, 2 ** 32, 42),
    index,
    width,
    height,
    format: input['output_format'] === 'jpeg' ? 'jpeg' : 'png',
  }));
}

function sizeOf(value: unknown): readonly [number, number] {
  if (typeof value === 'string') return PRESET_SIZES[value] ?? [512, 512];
  if (typeof value !== 'object' || value === null) return [512, 512];
  const { width, height } = value as Record<string, unknown>;
  return [boundedInteger(width, 16, 2048, 512), boundedInteger(height, 16, 2048, 512)];
}

function boundedInteger(value: unknown, min: number, max: number, fallback: number): number {
  return Number.isInteger(value) ? Math.min(max, Math.max(min, value as number)) : fallback;
}

/** What the job bills, unless the plan lets the header say something else. */
export function unitsOf(job: Pick<FalJob, 'plan' | 'pictures'>): number {
  const planned = Number(job.plan.billableUnits ?? job.pictures.length);
  return Number.isFinite(planned) ? planned : job.pictures.length;
}

export function fileUrl(origin: string, job: FalJob, picture: PictureRequest): string {
  return `${origin}/files/${job.requestId}/${picture.index}.${picture.format}`;
}
