import { z } from 'zod';
import { sharp } from '../../../assets/adapters/libvips.js';
import { BACKDROP_KINDS, makeBackdrop, studioLight } from './scene/backdrop-shading.js';
import { cameraFor } from './scene/camera.js';
import { developBackdrop, developPicture, developProduct } from './scene/develop.js';
import { GroundShadow } from './scene/ground-shadow.js';
import { renderLabel } from './scene/label-art.js';
import { NAMED_PALETTES, PALETTE_NAMES, type PaletteName, scenePalette } from './scene/palette.js';
import { type PictureLayers, renderLayers } from './scene/picture-layers.js';
import { productLook } from './scene/product-shading.js';
import { PRODUCT_KINDS, productShape } from './scene/product-shape.js';
import { pick, seededRandom, seedFrom } from './scene/seeded-random.js';
import type { StudioPicture } from './studio-picture.js';

const hexColor = z.string().regex(/^#[0-9a-fA-F]{6}$/, 'a color of the form #rrggbb');
/** Control, format (bidirectional marks among them), surrogate and private-use characters have no place on a label. */
const printable = z.string().regex(/^[^\p{C}]*$/u, 'no control or formatting characters');

export const renderSceneParameters = z.strictObject({
  product: z.enum(PRODUCT_KINDS).default('bottle'),
  brandName: printable.trim().min(1).max(24).default('Colophon'),
  palette: z.union([z.enum(PALETTE_NAMES), z.array(hexColor).min(3).max(5)]).optional(),
  backdrop: z.enum(BACKDROP_KINDS).default('studio'),
  width: z.int().min(256).max(2048).default(1024),
  height: z.int().min(256).max(2048).default(1024),
  seed: z.int().min(0).max(4_294_967_295).default(0),
  /** Only its hash is used: it decides proportions, label layout and, without a palette, the colors. */
  prompt: z.string().max(10_000).default(''),
});

export type RenderSceneParameters = z.output<typeof renderSceneParameters>;

export interface SceneParts {
  /** The whole picture. PNG, sRGB, opaque. */
  readonly picture: StudioPicture;
  /** Backdrop with shadow and reflection, without the product. PNG, opaque. */
  readonly backdrop: StudioPicture;
  /** The product alone. PNG with alpha, same size. */
  readonly product: StudioPicture;
}

/** A product still life. The same parameters give the same bytes. PNG, sRGB, no metadata. */
export async function renderScene(parameters: RenderSceneParameters): Promise<StudioPicture> {
  const layers = await sceneLayers(parameters);
  return encode(developPicture(layers), layers, 3);
}

/** The picture and the layers it consists of. */
export async function renderSceneParts(parameters: RenderSceneParameters): Promise<SceneParts> {
  const layers = await sceneLayers(parameters);
  const [picture, backdrop, product] = await Promise.all([
    encode(developPicture(layers), layers, 3),
    encode(developBackdrop(layers), layers, 3),
    encode(developProduct(layers), layers, 4),
  ]);
  return { picture, backdrop, product };
}

async function sceneLayers(parameters: RenderSceneParameters): Promise<PictureLayers> {
  const { width, height } = parameters;
  const random = seededRandom(seedFrom(parameters.prompt, parameters.seed));
  const shape = productShape(parameters.product, random());
  const metallicClosure = random() < 0.7;
  const palette = scenePalette(parameters.palette ?? paletteFor(random()));
  const backdrop = makeBackdrop(parameters.backdrop, palette, shape.halfWidth);
  const label = await renderLabel(
    {
      brandName: parameters.brandName,
      inkHex: palette.inkHex,
      aspect: shape.label.aspect,
      textWidth: shape.label.textWidth,
    },
    random,
    Math.min(1600, height),
  );
  const scene = {
    shape,
    look: productLook(parameters.product, palette, metallicClosure),
    label,
    light: studioLight(backdrop),
    ground: new GroundShadow(shape),
  };
  return renderLayers(scene, backdrop, cameraFor(shape, width, height), width, height);
}

function paletteFor(chance: number): PaletteName {
  return pick(() => chance, Object.keys(NAMED_PALETTES) as [PaletteName, ...PaletteName[]]);
}

async function encode(pixels: Buffer, layers: PictureLayers, channels: 3 | 4): Promise<StudioPicture> {
  const { width, height } = layers;
  const bytes = await sharp(pixels, { raw: { width, height, channels } })
    .png({ compressionLevel: 7, adaptiveFiltering: true })
    .toBuffer();
  return { bytes, mediaType: 'image/png', width, height };
}
