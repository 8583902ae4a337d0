import { type RunValue } from './definition-words.js';
import { type MediaKind } from './media-kind.js';

/** Values by name; an image is the id of an asset (UUID). */
export interface RunItem {
  readonly values: Readonly<Record<string, RunValue>>;
  readonly images: Readonly<Record<string, string>>;
}

/** What a run is given, by input name. */
export interface RunInputs extends RunItem {
  /** Assets that take the place of a step's output, by step key: an uploaded photograph instead of a generated one. */
  readonly substitutes: Readonly<Record<string, string>>;
  /** Items for steps that are run once for each of them. */
  readonly lists?: Readonly<Record<string, readonly RunItem[]>>;
  /** Instances that are given up from the beginning, by their key: what they cost is not known. */
  readonly abandoned?: readonly string[];
}

export type MediaSource = (
  { readonly kind: 'step'; readonly stepKey: string } | { readonly kind: 'asset'; readonly assetId: string }
) & {
  /** What must come from there. Absent in what was sealed before there was more than pictures: `image`. */
  readonly media?: MediaKind;
};
