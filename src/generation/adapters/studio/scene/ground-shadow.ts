import type { Ray } from './camera.js';
import type { ProductShape } from './product-shape.js';
import { softShadow } from './ray-march.js';
import { math } from '../math.js';

const CELLS = 160;

/**
 * Light that reaches the ground around the product, 0..1. The soft part (two lamps and the sky) is computed once on a
 * grid: it is smooth, and a picture looks it up millions of times. The line of contact is sharp and computed exactly.
 */
export class GroundShadow {
  private readonly grid = new Float32Array((CELLS + 1) * (CELLS + 1));
  private readonly reach: number;

  constructor(private readonly shape: ProductShape) {
    this.reach = shape.height * 1.6 + 0.4;
    for (let j = 0; j <= CELLS; j++) {
      for (let i = 0; i <= CELLS; i++) {
        this.grid[j * (CELLS + 1) + i] = this.softPart(this.coordinate(i), this.coordinate(j));
      }
    }
  }

  at(x: number, z: number): number {
    const u = ((x + this.reach) / (2 * this.reach)) * CELLS;
    const v = ((z + this.reach) / (2 * this.reach)) * CELLS;
    if (!(u >= 0 && v >= 0 && u < CELLS && v < CELLS)) return 1;
    const [i, j] = [math.floor(u), math.floor(v)];
    const at = j * (CELLS + 1) + i;
    const near = lerp(this.grid[at] ?? 1, this.grid[at + 1] ?? 1, u - i);
    const far = lerp(this.grid[at + CELLS + 1] ?? 1, this.grid[at + CELLS + 2] ?? 1, u - i);
    return lerp(near, far, v - j) * this.contactLine(x, z);
  }

  private coordinate(index: number): number {
    return (index / CELLS) * 2 * this.reach - this.reach;
  }

  private contactLine(x: number, z: number): number {
    if (math.abs(x) > this.shape.halfWidth + 0.15 || math.abs(z) > this.shape.halfDepth + 0.15) return 1;
    return 1 - 0.42 * math.exp(-math.max(0, this.shape.distance(x, 0.012, z)) / 0.028);
  }

  private softPart(x: number, z: number): number {
    const fromRight = softShadow(this.shape, groundRay(x, z, 0.62, 0.6, -0.12), 3.2);
    const fromLeft = softShadow(this.shape, groundRay(x, z, -0.62, 0.66, 0.28), 2.4);
    let occlusion = 0;
    for (let i = 1; i <= 4; i++) {
      const h = 0.03 * i * i;
      occlusion += math.max(0, h - this.shape.distance(x, h, z)) / h / (1 + i * 0.35);
    }
    // The edge of the grid is fully lit whatever the lamps say, so that no square shows.
    const inside = 1 - math.max(math.abs(x), math.abs(z)) / this.reach;
    const shade =
      (1 - 0.16 * (1 - fromRight)) * (1 - 0.34 * (1 - fromLeft)) * (1 - 0.2 * math.min(1.6, occlusion));
    return lerp(1, shade, math.min(1, inside * 6));
  }
}

function groundRay(ox: number, oz: number, dx: number, dy: number, dz: number): Ray {
  const length = math.sqrt(dx * dx + dy * dy + dz * dz);
  return { ox, oy: 0.001, oz, dx: dx / length, dy: dy / length, dz: dz / length };
}

function lerp(a: number, b: number, t: number): number {
  return a + (b - a) * t;
}
