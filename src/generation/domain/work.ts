import { type MediaKind } from './media-kind.js';
import { type StepOperation } from './pipeline-definition.js';

/** A file that goes into a step, as far as a price depends on it. */
export interface InputFacts {
  readonly media: MediaKind;
  /** Width x height, of a picture. `undefined`: not known. */
  readonly pixels: number | undefined;
  /** How long it plays, of a film or a sound. `undefined`: not known. */
  readonly seconds: number | undefined;
  /** It is not made yet: `pixels` is a bound, and the length is looked at before the step is sent. */
  readonly isAhead?: true;
}

/** What a step is to do, beside its parameters. */
export interface Work {
  readonly operation: StepOperation | undefined;
  readonly inputs: readonly InputFacts[];
  /** How long texts may be, in bytes of UTF-8, that are not among the parameters yet. */
  readonly textBytes?: number;
}

/** Something new, from words alone. */
export const FROM_WORDS: Work = { operation: 'generate', inputs: [] };

/** The facts of an asset, however it came to be. */
export function factsOf(
  media: MediaKind,
  asset:
    | {
        readonly width: number | undefined;
        readonly height: number | undefined;
        readonly durationMs: number | undefined;
      }
    | undefined,
): InputFacts {
  const { width, height, durationMs } = asset ?? {};
  return {
    media,
    pixels: width === undefined || height === undefined ? undefined : width * height,
    seconds: durationMs === undefined ? undefined : durationMs / 1000,
  };
}
