import { luminance, mixRgb, type Rgb, scaleRgb, smoothstep } from '../color.js';
import type { Ray } from './camera.js';
import type { ScenePalette } from './palette.js';
import { type ProductScene, shadeProduct } from './product-shading.js';
import { hitProduct } from './ray-march.js';
import type { StudioLight } from './studio-light.js';
import { math } from '../math.js';

export const BACKDROP_KINDS = ['plain', 'studio', 'gradient', 'podium'] as const;
export type BackdropKind = (typeof BACKDROP_KINDS)[number];

/** Paper that sweeps from the floor up behind the product, lit by a spot; `podium` puts a round plinth under it. */
export interface Backdrop {
  readonly kind: BackdropKind;
  readonly wallTop: Rgb;
  readonly wallGlow: Rgb;
  readonly floor: Rgb;
  /** How polished the floor is, 0..1. */
  readonly polish: number;
  readonly podium: { readonly radius: number; readonly height: number; readonly color: Rgb } | undefined;
}

export function makeBackdrop(kind: BackdropKind, palette: ScenePalette, productWidth: number): Backdrop {
  const base = palette.backdrop;
  // A light product before a lit wall would lose its outline: then the spot stays dark.
  const pale = mixRgb(base, [1, 1, 1], luminance(palette.product) > 0.4 ? 0.04 : 0.45);
  switch (kind) {
    case 'plain':
      return { kind, wallTop: base, wallGlow: base, floor: base, polish: 0.25, podium: undefined };
    case 'studio':
      return {
        kind,
        wallTop: scaleRgb(base, 0.62),
        wallGlow: pale,
        floor: mixRgb(base, pale, 0.35),
        polish: 1,
        podium: undefined,
      };
    case 'gradient': {
      const second = mixRgb(palette.second, base, 0.3);
      return { kind, wallTop: second, wallGlow: pale, floor: pale, polish: 0.7, podium: undefined };
    }
    case 'podium': {
      const color = mixRgb(base, [1, 1, 1], 0.2);
      const podium = { radius: productWidth * 1.1 + 0.26, height: 0.2, color };
      return { kind, wallTop: scaleRgb(base, 0.8), wallGlow: pale, floor: base, polish: 0.35, podium };
    }
  }
}

export function studioLight(backdrop: Backdrop): StudioLight {
  return {
    wall: mixRgb(backdrop.wallTop, backdrop.wallGlow, 0.6),
    floor: backdrop.podium?.color ?? backdrop.floor,
  };
}

const WALL_Z = -3.2;
const reflection = new Float64Array(3);
const probe: Ray = { ox: 0, oy: 0, oz: 0, dx: 0, dy: 0, dz: 0 };

/**
 * Linear RGB of the backdrop with the shadow and the reflection of the product, for a ray that misses the product.
 * @returns whether there is detail here (a reflection, a podium) that deserves more than one sample
 */
export function shadeBackdrop(
  out: Float64Array,
  backdrop: Backdrop,
  scene: ProductScene,
  ray: Ray,
  jitter: number,
): boolean {
  const podium = backdrop.podium;
  if (podium && shadePodium(out, backdrop, podium, scene, ray, jitter)) return true;
  const floorY = podium ? -podium.height : 0;
  const t = ray.dy < -1e-6 ? (floorY - ray.oy) / ray.dy : Infinity;
  const z = ray.oz + ray.dz * t;
  const wall = wallColor(backdrop, ray);
  if (!(z > WALL_Z)) {
    out.set(wall);
    return podium !== undefined;
  }
  const x = ray.ox + ray.dx * t;
  // Paper sweep: the floor turns into the wall without a horizon line.
  const sweep = smoothstep(-0.55, WALL_Z, z);
  const falloff = 1 - 0.16 * smoothstep(0.4, 2.6, math.sqrt(x * x + z * z));
  const floor = mixRgb(scaleRgb(backdrop.floor, falloff), wall, sweep);
  const grounded = podium ? podiumShadow(podium.radius, x, z) : scene.ground.at(x, z);
  out.set(scaleRgb(floor, 1 - (1 - grounded) * (1 - sweep)));
  return podium !== undefined || addReflection(out, scene, ray, x, 0, z, backdrop.polish, jitter);
}

function wallColor(backdrop: Backdrop, ray: Ray): Rgb {
  const t = (WALL_Z - ray.oz) / ray.dz;
  const x = ray.ox + ray.dx * t;
  const y = ray.oy + ray.dy * t;
  if (backdrop.kind === 'gradient')
    return mixRgb(backdrop.wallGlow, backdrop.wallTop, smoothstep(-0.7, 1.35, y));
  const distance = math.sqrt((x * 0.85) ** 2 + (y - 0.15) ** 2);
  return mixRgb(backdrop.wallGlow, backdrop.wallTop, smoothstep(0.05, 1.75, distance));
}

function set(ray: Ray, ox: number, oy: number, oz: number, dx: number, dy: number, dz: number): void {
  const length = math.sqrt(dx * dx + dy * dy + dz * dz);
  ray.ox = ox;
  ray.oy = oy;
  ray.oz = oz;
  ray.dx = dx / length;
  ray.dy = dy / length;
  ray.dz = dz / length;
}

/** A satin floor mirrors what is near and loses it with distance; `jitter` blurs it the farther the ray travels. */
function addReflection(
  out: Float64Array,
  scene: ProductScene,
  ray: Ray,
  x: number,
  y: number,
  z: number,
  polish: number,
  jitter: number,
): boolean {
  const { shape } = scene;
  const angle = (jitter - 0.5) * 2;
  set(probe, x, y + 0.0005, z, ray.dx + angle * 0.022, -ray.dy, ray.dz);
  const t = hitProduct(shape, probe);
  if (t < 0) return false;
  const height = (probe.dy * t) / shape.height;
  // Fresnel of a lacquered floor at this grazing angle is about 0.3; it fades with the height of what is mirrored.
  const strength = 0.28 * polish * (1 - smoothstep(0, 0.62, height)) ** 1.4;
  if (strength <= 0.001) return false;
  shadeProduct(reflection, scene, probe, t);
  for (let c = 0; c < 3; c++) out[c] = (out[c] ?? 0) * (1 - strength) + (reflection[c] ?? 0) * strength;
  return true;
}

function podiumShadow(radius: number, x: number, z: number): number {
  const gap = math.sqrt((x - 0.12) ** 2 + (z + 0.05) ** 2) - radius;
  const contact = math.max(0, math.sqrt(x * x + z * z) - radius);
  return (1 - 0.22 * (1 - smoothstep(-0.05, 0.5, gap))) * (1 - 0.45 * math.exp(-contact / 0.03));
}

/** Top disc or side of the plinth; false when the ray passes by. */
function shadePodium(
  out: Float64Array,
  backdrop: Backdrop,
  podium: NonNullable<Backdrop['podium']>,
  scene: ProductScene,
  ray: Ray,
  jitter: number,
): boolean {
  const tTop = -ray.oy / ray.dy;
  const x = ray.ox + ray.dx * tTop;
  const z = ray.oz + ray.dz * tTop;
  const rho = math.sqrt(x * x + z * z);
  if (tTop > 0 && rho < podium.radius) {
    const edge = 1 + 0.12 * smoothstep(podium.radius - 0.03, podium.radius - 0.004, rho);
    out.set(scaleRgb(podium.color, scene.ground.at(x, z) * edge * (1.02 - 0.05 * x)));
    addReflection(out, scene, ray, x, 0, z, backdrop.polish, jitter);
    return true;
  }
  return shadePodiumSide(out, podium, ray);
}

function shadePodiumSide(out: Float64Array, podium: NonNullable<Backdrop['podium']>, ray: Ray): boolean {
  const a = ray.dx * ray.dx + ray.dz * ray.dz;
  const b = ray.ox * ray.dx + ray.oz * ray.dz;
  const root = b * b - a * (ray.ox * ray.ox + ray.oz * ray.oz - podium.radius * podium.radius);
  if (root <= 0) return false;
  const t = (-b - math.sqrt(root)) / a;
  const y = ray.oy + ray.dy * t;
  if (t <= 0 || y > 0 || y < -podium.height) return false;
  const nx = (ray.ox + ray.dx * t) / podium.radius;
  const nz = (ray.oz + ray.dz * t) / podium.radius;
  const lit = 0.56 + 0.3 * math.max(0, -0.75 * nx + 0.55 * nz) + 0.12 * math.max(0, nx) ** 3;
  const foot = 1 - 0.25 * math.exp(-(y + podium.height) / 0.05);
  const rim = 1 + 0.35 * smoothstep(-0.012, -0.002, y);
  out.set(scaleRgb(podium.color, lit * foot * rim * (0.9 + 0.1 * luminance(podium.color))));
  return true;
}
