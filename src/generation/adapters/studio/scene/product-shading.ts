import { luminance, mixRgb, type Rgb, scaleRgb, smoothstep } from '../color.js';
import type { Ray } from './camera.js';
import type { GroundShadow } from './ground-shadow.js';
import type { LabelTexture } from './label-art.js';
import type { ScenePalette } from './palette.js';
import type { Part, ProductKind, ProductShape } from './product-shape.js';
import { writeNormal } from './ray-march.js';
import { environment, irradiance, type StudioLight } from './studio-light.js';
import { math } from '../math.js';

interface Material {
  readonly albedo: Rgb;
  /** Reflectance at normal incidence. 0.04 is lacquer; a metal has the color of the metal. */
  readonly f0: Rgb;
  readonly softness: number;
  /** 0 for metals: they have no matt component. */
  readonly diffuse: number;
}

export interface ProductLook {
  readonly body: Material;
  readonly closure: Material;
  readonly metal: Material;
}

const STEEL: Rgb = [0.78, 0.77, 0.76];

/** Surface finish by kind: lacquered bottle, satin tube, matt carton, painted can. */
export function productLook(kind: ProductKind, palette: ScenePalette, metallicClosure: boolean): ProductLook {
  const bodySoftness = { bottle: 0.07, jar: 0.12, box: 0.6, tube: 0.3, can: 0.05 }[kind];
  const coat = { bottle: 0.06, jar: 0.05, box: 0.03, tube: 0.04, can: 0.075 }[kind];
  const metal: Material = {
    albedo: [0, 0, 0],
    f0: kind === 'can' ? STEEL : metalColor(palette.accent),
    softness: 0.09,
    diffuse: 0,
  };
  const lacquer: Material = { albedo: palette.accent, f0: [0.04, 0.04, 0.04], softness: 0.12, diffuse: 1 };
  return {
    body: { albedo: palette.product, f0: [coat, coat, coat], softness: bodySoftness, diffuse: 1 },
    closure:
      kind === 'box'
        ? { ...lacquer, softness: 0.6, f0: [0.025, 0.025, 0.025] }
        : metallicClosure
          ? metal
          : lacquer,
    metal,
  };
}

/** A metal reflects 60 to 90 percent whatever its hue: lift dark accents so that the ring reads as metal. */
function metalColor(accent: Rgb): Rgb {
  const bright = scaleRgb(accent, 0.72 / math.max(0.05, luminance(accent)));
  return mixRgb([math.min(bright[0], 1), math.min(bright[1], 1), math.min(bright[2], 1)], STEEL, 0.25);
}

const normal = new Float64Array(3);
const mirrored = new Float64Array(3);
const arriving = new Float64Array(3);
const print = new Float64Array(4);

export interface ProductScene {
  readonly shape: ProductShape;
  readonly look: ProductLook;
  readonly label: LabelTexture;
  readonly light: StudioLight;
  readonly ground: GroundShadow;
}

/** Linear RGB of the product where the ray hits it at distance t. */
export function shadeProduct(out: Float64Array, scene: ProductScene, ray: Ray, t: number): void {
  const { shape, look, light } = scene;
  const x = ray.ox + ray.dx * t;
  const y = ray.oy + ray.dy * t;
  const z = ray.oz + ray.dz * t;
  writeNormal(normal, shape, x, y, z);
  const [nx, ny, nz] = [normal[0] ?? 0, normal[1] ?? 0, normal[2] ?? 0];
  const part = shape.part(x, y, z);
  const material = look[part];
  const facing = math.max(0, -(nx * ray.dx + ny * ray.dy + nz * ray.dz));
  irradiance(arriving, nx, ny, nz, light);
  environment(
    mirrored,
    ray.dx + 2 * facing * nx,
    ray.dy + 2 * facing * ny,
    ray.dz + 2 * facing * nz,
    material.softness,
    light,
  );
  // Schlick's approximation of Fresnel: glancing angles reflect more; a rough surface does so less.
  const glance = (1 - facing) ** 5 * (1 - 0.75 * math.min(1, material.softness * 1.6));
  const occlusion = 0.55 + 0.45 * smoothstep(0, 0.12, y);
  readLabel(print, scene.label, shape, part, x, y, z);
  const ink = print[3] ?? 0;
  for (let c = 0; c < 3; c++) {
    const f0 = material.f0[c] ?? 0;
    const fresnel = f0 + (1 - f0) * glance;
    const albedo = (material.albedo[c] ?? 0) * (1 - ink) + (print[c] ?? 0) * ink;
    const matt = albedo * (arriving[c] ?? 0) * material.diffuse * (1 - fresnel);
    out[c] = (matt + (mirrored[c] ?? 0) * fresnel) * occlusion;
  }
}

/** Bilinear sample of the print, straight alpha. */
function readLabel(
  out: Float64Array,
  label: LabelTexture,
  shape: ProductShape,
  part: Part,
  x: number,
  y: number,
  z: number,
): void {
  out[3] = 0;
  if (part !== 'body') return;
  const u = shape.label.u(x, y, z) * label.width - 0.5;
  const v = shape.label.v(x, y, z) * label.height - 0.5;
  if (!(u >= 0 && v >= 0 && u < label.width - 1 && v < label.height - 1)) return;
  const [x0, y0] = [math.floor(u), math.floor(v)];
  const [fx, fy] = [u - x0, v - y0];
  const at = (y0 * label.width + x0) * 4;
  const below = at + label.width * 4;
  const w = [(1 - fx) * (1 - fy), fx * (1 - fy), (1 - fx) * fy, fx * fy];
  const corners = [at, at + 4, below, below + 4];
  let alpha = 0;
  let [r, g, b] = [0, 0, 0];
  for (let i = 0; i < 4; i++) {
    const corner = corners[i] ?? 0;
    const a = (label.texels[corner + 3] ?? 0) * (w[i] ?? 0);
    alpha += a;
    r += (label.texels[corner] ?? 0) * a;
    g += (label.texels[corner + 1] ?? 0) * a;
    b += (label.texels[corner + 2] ?? 0) * a;
  }
  if (alpha <= 0) return;
  out[0] = r / alpha;
  out[1] = g / alpha;
  out[2] = b / alpha;
  out[3] = alpha;
}
