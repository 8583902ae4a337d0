import type { z } from 'zod';
import type { DigitalSourceType } from '../../../provenance/domain/manifest-plan.js';
import { ColophonError } from '../../../shared/errors.js';
import { convert, convertParameters } from './convert.js';
import { crop, cropParameters } from './crop.js';
import { cutOut, cutOutParameters } from './cut-out.js';
import { recolor, recolorParameters } from './recolor.js';
import { renderScene, renderSceneParameters } from './render-scene.js';
import type { StudioPicture } from './studio-picture.js';
import { upscale, upscaleParameters } from './upscale.js';

export const STUDIO_OPERATION_NAMES = [
  'render-scene',
  'cut-out',
  'upscale',
  'recolor',
  'crop',
  'convert',
] as const;
export type StudioOperationName = (typeof STUDIO_OPERATION_NAMES)[number];

/** One operation of the studio, with what the manifest says about it. */
export interface StudioOperation {
  readonly name: StudioOperationName;
  /** Strict: an unknown parameter is an error, not something that is silently ignored. */
  readonly parameters: z.ZodType;
  readonly needsImage: boolean;
  /** Predefined action, C2PA 2.4 section 18.15. */
  readonly action: string;
  /** Absent for the actions that carry none: proportional resize and transcoding. */
  readonly digitalSourceType: DigitalSourceType | undefined;
  readonly listingId: string;
  /** One sentence for people, for the action's description. */
  readonly description: string;
  /**
   * Deterministic: the same parameters and image give the same bytes.
   * @throws ColophonError `invalid_request` with `errors`, or what the operation throws
   */
  run(parameters: unknown, image?: Buffer): Promise<StudioPicture>;
}

interface OperationFacts {
  readonly action: string;
  readonly digitalSourceType: DigitalSourceType | undefined;
  readonly listingId: string;
  readonly description: string;
}

function operation<S extends z.ZodType>(
  name: StudioOperationName,
  schema: S,
  facts: OperationFacts,
  work: (parameters: z.output<S>, image: Buffer) => Promise<StudioPicture>,
): StudioOperation {
  return {
    name,
    parameters: schema,
    needsImage: true,
    ...facts,
    run: async (given, image) => {
      const parameters = parseParameters(name, schema, given);
      if (!image)
        throw new ColophonError('invalid_request', `The studio operation "${name}" needs an image.`);
      return work(parameters, image);
    },
  };
}

function parseParameters<S extends z.ZodType>(name: string, schema: S, given: unknown): z.output<S> {
  const result = schema.safeParse(given);
  if (result.success) return result.data;
  const errors = result.error.issues.map(({ path, message }) => ({ path: path.join('.'), message }));
  throw new ColophonError(
    'invalid_request',
    `The parameters of the studio operation "${name}" are invalid.`,
    {
      extensions: { errors },
    },
  );
}

export const STUDIO_OPERATIONS: Readonly<Record<StudioOperationName, StudioOperation>> = {
  'render-scene': {
    name: 'render-scene',
    parameters: renderSceneParameters,
    needsImage: false,
    action: 'c2pa.created',
    digitalSourceType: 'algorithmicMedia',
    listingId: 'studio-scene@studio',
    description: 'Product scene rendered from a template by a deterministic algorithm',
    run: async (given) => renderScene(parseParameters('render-scene', renderSceneParameters, given)),
  },
  'cut-out': operation(
    'cut-out',
    cutOutParameters,
    {
      action: 'c2pa.edited',
      digitalSourceType: 'algorithmicallyEnhanced',
      listingId: 'studio-cut-out@studio',
      description: 'Background removed by a deterministic algorithm',
    },
    cutOut,
  ),
  upscale: operation(
    'upscale',
    upscaleParameters,
    {
      action: 'c2pa.resized.proportional',
      digitalSourceType: undefined,
      listingId: 'studio-upscale@studio',
      description: 'Enlarged by resampling',
    },
    upscale,
  ),
  recolor: operation(
    'recolor',
    recolorParameters,
    {
      action: 'c2pa.adjustedColor',
      digitalSourceType: 'algorithmicallyEnhanced',
      listingId: 'studio-recolor@studio',
      description: 'Main color changed by a deterministic algorithm',
    },
    recolor,
  ),
  crop: operation(
    'crop',
    cropParameters,
    {
      action: 'c2pa.cropped',
      digitalSourceType: 'algorithmicallyEnhanced',
      listingId: 'studio-crop@studio',
      description: 'Cropped',
    },
    crop,
  ),
  convert: operation(
    'convert',
    convertParameters,
    {
      action: 'c2pa.transcoded',
      digitalSourceType: undefined,
      listingId: 'studio-convert@studio',
      description: 'Converted to another file format',
    },
    convert,
  ),
};

export function isStudioOperation(name: string): name is StudioOperationName {
  return (STUDIO_OPERATION_NAMES as readonly string[]).includes(name);
}
