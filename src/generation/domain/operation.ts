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
   * Whether the picture named `image` is changed (it becomes the parent), or looked at (it becomes an input): a video
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
