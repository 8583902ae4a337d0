import { type LineageRole } from '../../licenses/domain/listing.js';
import { type MediaKind } from './media-kind.js';

/** What a step can be asked to do. */
export const OPERATIONS = [
  'generate',
  'edit',
  'cut-out',
  'upscale',
  'recolor',
  'crop',
  'convert',
  'generate-video',
  'animate',
  'speak',
  'compose-music',
  'generate-3d',
] as const;
export type Operation = (typeof OPERATIONS)[number];

interface OperationFacts {
  /** The kind of file that the step leaves. */
  readonly makes: MediaKind;
  /** What a model does in the lineage when it is used for this. */
  readonly role: LineageRole;
  /**
   * Whether its main picture ({@link mainImageOf}) is changed (it becomes the parent), or looked at (it becomes an input): a video
   * made from a photograph is a new work, not an edit of the photograph.
   */
  readonly changesItsImage: boolean;
}

export const OPERATION_FACTS: Readonly<Record<Operation, OperationFacts>> = {
  generate: { makes: 'image', role: 'generator', changesItsImage: true },
  edit: { makes: 'image', role: 'editor', changesItsImage: true },
  'cut-out': { makes: 'image', role: 'background-remover', changesItsImage: true },
  upscale: { makes: 'image', role: 'upscaler', changesItsImage: true },
  recolor: { makes: 'image', role: 'editor', changesItsImage: true },
  crop: { makes: 'image', role: 'editor', changesItsImage: true },
  convert: { makes: 'image', role: 'editor', changesItsImage: true },
  'generate-video': { makes: 'video', role: 'generator', changesItsImage: false },
  animate: { makes: 'video', role: 'generator', changesItsImage: false },
  speak: { makes: 'audio', role: 'generator', changesItsImage: false },
  'compose-music': { makes: 'audio', role: 'generator', changesItsImage: false },
  'generate-3d': { makes: 'model3d', role: 'generator', changesItsImage: false },
};

/** Whether nothing can come of it without a picture that goes in. */
export function needsPicture(operation: Operation): boolean {
  return operation !== 'generate' && OPERATION_FACTS[operation].changesItsImage;
}

/** How models on fal and Replicate call the picture that they change; of a list, its first one. */
const VENDOR_NAMES = /^(?:image_url|image_urls|input_image|input_images|image_input|images)(?:__1)?$/;

/**
 * The picture that a step changes; any other one is a reference that it looks at. `image`; where there is none of that
 * name, the one that vendors call otherwise. A model that makes a new picture changes only what is called `image`.
 */
export function mainImageOf(operation: Operation, names: readonly string[]): string | undefined {
  if (!OPERATION_FACTS[operation].changesItsImage) return undefined;
  if (names.includes('image')) return 'image';
  return operation === 'generate' ? undefined : names.find((name) => VENDOR_NAMES.test(name));
}
