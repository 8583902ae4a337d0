import type { ProductShape } from './product-shape.js';
import { math } from '../math.js';

/** A long lens slightly above the product, as in product photography: little perspective, the top just visible. */
export interface Camera {
  readonly originY: number;
  readonly originZ: number;
  /** Forward (0, fy, fz) and up (0, uy, uz); right is (1, 0, 0). */
  readonly forwardY: number;
  readonly forwardZ: number;
  /** Tangents of half the picture's width and height. */
  readonly tanX: number;
  readonly tanY: number;
}

const DISTANCE = 6;
const ELEVATION_RADIANS = 0.13;
/** Share of the picture that the product may fill. */
const MAX_HEIGHT_SHARE = 0.66;
const MAX_WIDTH_SHARE = 0.58;

export function cameraFor(shape: ProductShape, width: number, height: number): Camera {
  const aspect = width / height;
  const halfHeight = math.max(
    shape.height / (2 * MAX_HEIGHT_SHARE),
    shape.halfWidth / MAX_WIDTH_SHARE / aspect,
  );
  // Look a little below the middle of the product: the floor in front of it needs less room than the air above.
  const targetY = shape.height * 0.5 + halfHeight * 0.03;
  const [sin, cos] = [math.sin(ELEVATION_RADIANS), math.cos(ELEVATION_RADIANS)];
  return {
    originY: targetY + DISTANCE * sin,
    originZ: DISTANCE * cos,
    forwardY: -sin,
    forwardZ: -cos,
    tanX: (halfHeight * aspect) / DISTANCE,
    tanY: halfHeight / DISTANCE,
  };
}

/** A ray with reusable storage: tracing a picture makes millions of them. */
export interface Ray {
  ox: number;
  oy: number;
  oz: number;
  dx: number;
  dy: number;
  dz: number;
}

/** @param sx,sy position on the picture, -1..1, y upwards. */
export function aim(ray: Ray, camera: Camera, sx: number, sy: number): void {
  const px = sx * camera.tanX;
  const py = sy * camera.tanY;
  // up = (0, -forwardZ, forwardY) for a camera that does not roll.
  const dy = camera.forwardY - camera.forwardZ * py;
  const dz = camera.forwardZ + camera.forwardY * py;
  const length = math.sqrt(px * px + dy * dy + dz * dz);
  ray.ox = 0;
  ray.oy = camera.originY;
  ray.oz = camera.originZ;
  ray.dx = px / length;
  ray.dy = dy / length;
  ray.dz = dz / length;
}
