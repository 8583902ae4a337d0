import { isColophonError } from '../../shared/errors.js';
import { type RunValue } from './definition-words.js';
import { statedPixels } from './picture-size.js';
import { isHuman } from './pipeline-definition.js';
import { type PlannedStep } from './plan-steps.js';
import { type StepExecutor } from './provider.port.js';
import { type MediaSource } from './run-inputs.js';
import { factsOf, type InputFacts } from './work.js';

/** What is known of an asset that a run is given. */
export interface KnownAsset {
  readonly width: number | undefined;
  readonly height: number | undefined;
  readonly durationMs: number | undefined;
}
/** By asset id (UUID). */
export type KnownAssets = ReadonlyMap<string, KnownAsset>;

/**
 * A picture that a vendor or a person is still to make, and whose size nobody has stated, is taken to be this large: the
 * largest that a model of the price book makes (4096 x 4096). A larger one is not sent on (check-reservation.ts).
 */
export const PICTURE_AHEAD_PIXELS = 4096 * 4096;
/** No more could be taken in (see media-limits.ts). */
const MAX_PIXELS = 100_000_000;
const SCENE_SIDE_PIXELS = 1024;
const UPSCALE_FACTOR = 2;

/** One way in which a step may be done. */
export interface WayAhead {
  readonly provider: StepExecutor;
  readonly parameters: Readonly<Record<string, RunValue>>;
}

export interface StepsAhead {
  readonly planned: readonly PlannedStep[];
  readonly known: KnownAssets;
  sourcesOf(step: PlannedStep): readonly MediaSource[];
  waysOf(step: PlannedStep): readonly WayAhead[];
}

/** How large the media are that go into the steps of a run, before any of them is made. */
export class MediaAhead {
  private readonly found = new Map<string, number | undefined>();
  private readonly byKey: ReadonlyMap<string, PlannedStep>;

  constructor(private readonly steps: StepsAhead) {
    this.byKey = new Map(steps.planned.map((step) => [step.key, step]));
  }

  factsOf(source: MediaSource): InputFacts {
    const { media = 'image' } = source;
    if (source.kind === 'asset') return factsOf(media, this.steps.known.get(source.assetId));
    const substitute = this.byKey.get(source.stepKey)?.substituteAssetId;
    if (substitute !== undefined) return factsOf(media, this.steps.known.get(substitute));
    const pixels = media === 'image' ? this.pixelsOf(source.stepKey) : undefined;
    return { media, pixels, seconds: undefined, isAhead: true };
  }

  /** `undefined`: what it works on has no known size, and it keeps that. */
  private pixelsOf(key: string): number | undefined {
    if (!this.found.has(key)) this.found.set(key, this.boundOf(key));
    return this.found.get(key);
  }

  private boundOf(key: string): number | undefined {
    const step = this.byKey.get(key);
    if (step === undefined) return undefined;
    const { definition, left } = step;
    if (left === 'abandoned') return 0;
    const input = largest(
      this.steps
        .sourcesOf(step)
        .map((source) => this.factsOf(source))
        .filter(({ media }) => media === 'image')
        .map(({ pixels }) => pixels),
    );
    if (left === 'not_wanted') return input;
    if (isHuman(definition))
      return definition.operation === 'wait-for-edit' ? largest([input, PICTURE_AHEAD_PIXELS]) : input;
    const ways = this.steps.waysOf(step).map((way) => outputOf(step, way, input));
    // Where its condition does not hold, it may hand on what it would have worked on.
    return largest(definition.when === undefined ? ways : [...ways, input]);
  }
}

function outputOf(
  { definition: { operation } }: PlannedStep,
  { provider, parameters }: WayAhead,
  input: number | undefined,
): number | undefined {
  if (provider !== 'studio') return madeElsewhere(parameters, input);
  if (operation === 'generate')
    return side(parameters.width, SCENE_SIDE_PIXELS) * side(parameters.height, SCENE_SIDE_PIXELS);
  if (operation !== 'upscale' || input === undefined) return input;
  return Math.min(input * side(parameters.factor, UPSCALE_FACTOR) ** 2, MAX_PIXELS);
}

function madeElsewhere(
  parameters: Readonly<Record<string, RunValue>>,
  input: number | undefined,
): number | undefined {
  try {
    const stated = statedPixels(parameters, { operation: undefined, inputs: [] });
    if (stated !== undefined) return stated;
  } catch (error) {
    if (!isColophonError(error)) throw error;
  }
  return largest([input, PICTURE_AHEAD_PIXELS]);
}

function side(value: unknown, otherwise: number): number {
  return typeof value === 'number' ? value : otherwise;
}

function largest(all: readonly (number | undefined)[]): number | undefined {
  return all.includes(undefined) ? undefined : Math.max(0, ...all.map((one) => one ?? 0));
}
