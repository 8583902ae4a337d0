import type { Ray } from './camera.js';
import type { ProductShape } from './product-shape.js';
import { math } from '../math.js';

const MAX_STEPS = 120;
const HIT_DISTANCE = 0.0004;
const NORMAL_STEP = 0.0006;

/** Distance along the ray to the product, or -1. Rays that miss the bounding box cost almost nothing. */
export function hitProduct(shape: ProductShape, ray: Ray): number {
  const [near, far] = boundingInterval(shape, ray);
  if (near > far || far <= 0) return -1;
  let t = math.max(near, 0);
  for (let step = 0; step < MAX_STEPS && t < far; step++) {
    const d = shape.distance(ray.ox + ray.dx * t, ray.oy + ray.dy * t, ray.oz + ray.dz * t);
    if (d < HIT_DISTANCE) return t;
    t += d;
  }
  return -1;
}

const interval: [number, number] = [0, 0];

function boundingInterval(shape: ProductShape, ray: Ray): readonly [number, number] {
  interval[0] = -Infinity;
  interval[1] = Infinity;
  clip(ray.ox, ray.dx, -shape.halfWidth - 0.01, shape.halfWidth + 0.01);
  clip(ray.oy, ray.dy, -0.005, shape.height + 0.005);
  clip(ray.oz, ray.dz, -shape.halfDepth - 0.01, shape.halfDepth + 0.01);
  return interval;
}

function clip(origin: number, direction: number, low: number, high: number): void {
  const inverse = 1 / (math.abs(direction) < 1e-12 ? 1e-12 : direction);
  const a = (low - origin) * inverse;
  const b = (high - origin) * inverse;
  interval[0] = math.max(interval[0], math.min(a, b));
  interval[1] = math.min(interval[1], math.max(a, b));
}

/** Unit normal by the tetrahedron technique: four evaluations instead of six. */
export function writeNormal(out: Float64Array, shape: ProductShape, x: number, y: number, z: number): void {
  const e = NORMAL_STEP;
  const a = shape.distance(x + e, y - e, z - e);
  const b = shape.distance(x - e, y - e, z + e);
  const c = shape.distance(x - e, y + e, z - e);
  const d = shape.distance(x + e, y + e, z + e);
  const nx = a - b - c + d;
  const ny = -a - b + c + d;
  const nz = -a + b - c + d;
  const length = math.sqrt(nx * nx + ny * ny + nz * nz) || 1;
  out[0] = nx / length;
  out[1] = ny / length;
  out[2] = nz / length;
}

/**
 * How much of a lamp of the given angular size is seen from a point, 0..1: the narrowest gap between the ray and the
 * product, over the distance travelled (soft shadow of a distance field).
 */
export function softShadow(shape: ProductShape, ray: Ray, sharpness: number): number {
  let visible = 1;
  let t = 0.012;
  for (let step = 0; step < 48 && t < 2.4; step++) {
    const y = ray.oy + ray.dy * t;
    if (y > shape.height + 0.4) break;
    const d = shape.distance(ray.ox + ray.dx * t, y, ray.oz + ray.dz * t);
    visible = math.min(visible, 0.5 + (0.5 * d * sharpness) / t);
    if (visible <= 0) return 0;
    t += math.min(0.12, math.max(0.012, d));
  }
  return visible * visible * (3 - 2 * visible);
}
