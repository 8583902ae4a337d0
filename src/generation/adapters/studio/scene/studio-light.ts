import { type Rgb, smoothstep } from '../color.js';
import { math } from '../math.js';

/**
 * The lamps of a small studio, as a function of direction: a large softbox on the left, a strip light behind on each
 * side (the rim light that separates the product from the backdrop), one lamp above, and a dim room in front.
 * x is right, y up, z towards the camera. Values are linear radiance; 1 is a white wall.
 */
export interface StudioLight {
  readonly wall: Rgb;
  readonly floor: Rgb;
}

function band(value: number, from: number, to: number, softness: number): number {
  return (
    smoothstep(from - softness, from + softness, value) *
    (1 - smoothstep(to - softness, to + softness, value))
  );
}

/** What a mirror sees in a direction. `softness` 0.02 is polished, 0.5 is satin. Writes linear RGB. */
export function environment(
  out: Float64Array,
  dx: number,
  dy: number,
  dz: number,
  softness: number,
  light: StudioLight,
): void {
  const spread = 1 / (1 + 1.6 * softness);
  const left = dx < -0.02 ? band(dz / -dx, -0.35, 1.05, softness) * band(dy / -dx, -0.5, 1.5, softness) : 0;
  const right = dx > 0.02 ? band(dz / dx, -0.95, -0.12, softness) * band(dy / dx, -0.6, 1.6, softness) : 0;
  const rim = dx < -0.02 ? band(dz / -dx, -1.5, -0.75, softness) * band(dy / -dx, -0.6, 1.6, softness) : 0;
  const above = dy > 0.02 ? band(dx / dy, -0.9, 0.9, softness) * band(dz / dy, -0.8, 0.7, softness) : 0;
  const lamps = (2.5 * left + 1.9 * right + 1.1 * rim + 1.5 * above) * spread;
  const behind = smoothstep(0.25, -0.55, dz);
  const flagged = 0.8 - 0.45 * smoothstep(-0.35, -0.8, dz);
  const room = 0.07 + 0.1 * smoothstep(-0.3, 0.9, dy);
  const ground = smoothstep(0.02 + softness * 0.3, -0.1 - softness * 0.3, dy);
  for (let c = 0; c < 3; c++) {
    // Black flags beside the backdrop: glancing edges mirror them, which draws the outline of a glossy product.
    const wall = (light.wall[c] ?? 0) * flagged;
    const upper = room + (wall - room) * behind;
    const floor = (light.floor[c] ?? 0) * 0.62;
    const warm = c === 0 ? 1 : c === 1 ? 0.985 : 0.955;
    out[c] = upper + (floor - upper) * ground + lamps * warm;
  }
}

/** Light arriving at a matt surface with normal n, divided by pi. Writes linear RGB; 1 lights white paper to white. */
export function irradiance(out: Float64Array, nx: number, ny: number, nz: number, light: StudioLight): void {
  const key = wrap(-0.72 * nx + 0.42 * ny + 0.55 * nz, 0.35);
  const fill = wrap(0.75 * nx + 0.2 * ny + 0.63 * nz, 0.5);
  const back = wrap(0.86 * nx + 0.1 * ny - 0.5 * nz, 0.05);
  const backLeft = wrap(-0.85 * nx + 0.1 * ny - 0.52 * nz, 0.05);
  const up = 0.5 + 0.5 * ny;
  const direct = 0.72 * key + 0.16 * fill + 0.5 * back + 0.3 * backLeft + 0.1 * math.max(ny, 0);
  for (let c = 0; c < 3; c++) {
    const warm = c === 0 ? 1 : c === 1 ? 0.985 : 0.955;
    out[c] = direct * warm + 0.2 * up + 0.2 * (1 - up) * (light.floor[c] ?? 0);
  }
}

/** Lambert's cosine for a lamp so large that it reaches around the horizon; squared for a soft falloff. */
function wrap(cosine: number, reach: number): number {
  const value = (cosine + reach) / (1 + reach);
  return value > 0 ? value * value * 0.5 + value * 0.5 : 0;
}
