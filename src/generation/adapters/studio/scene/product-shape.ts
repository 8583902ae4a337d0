import { math } from '../math.js';

/**
 * Products as signed distance functions: negative inside, and never more than the true distance, so that a ray may
 * step by it ("sphere tracing", Hart 1996). One unit is about the height of the bottle; y is up, the floor is y = 0.
 */
export const PRODUCT_KINDS = ['bottle', 'jar', 'box', 'tube', 'can'] as const;
export type ProductKind = (typeof PRODUCT_KINDS)[number];

export type Part = 'body' | 'closure' | 'metal';

/** Where the print sits: `at` gives u, v in 0..1 (v downwards) for a point on the surface. */
export interface LabelArea {
  readonly aspect: number;
  readonly textWidth: number;
  u(x: number, y: number, z: number): number;
  v(x: number, y: number, z: number): number;
}

export interface ProductShape {
  readonly height: number;
  /** Half extents of a box around the product, centered on the y axis. */
  readonly halfWidth: number;
  readonly halfDepth: number;
  distance(x: number, y: number, z: number): number;
  part(x: number, y: number, z: number): Part;
  readonly label: LabelArea;
}

/** Cylinder about the y axis with rounded edges, in the half plane (radius, y). */
function roundedCylinder(
  rho: number,
  y: number,
  from: number,
  to: number,
  radius: number,
  roundBottom: number,
  roundTop: number,
): number {
  const center = (from + to) / 2;
  const rounding = y > center ? roundTop : roundBottom;
  const dx = rho - radius + rounding;
  const dy = math.abs(y - center) - (to - from) / 2 + rounding;
  const outside = math.sqrt(math.max(dx, 0) ** 2 + math.max(dy, 0) ** 2);
  return math.min(math.max(dx, dy), 0) + outside - rounding;
}

/** Union with a fillet of size k (polynomial smooth minimum). */
function blend(a: number, b: number, k: number): number {
  const h = math.max(k - math.abs(a - b), 0) / k;
  return math.min(a, b) - h * h * k * 0.25;
}

/** Print wrapped around a cylinder: `halfAngle` to each side of the front. */
function wrappedLabel(radius: number, halfAngle: number, bottom: number, top: number): LabelArea {
  return {
    aspect: (2 * halfAngle * radius) / (top - bottom),
    // Beyond 40 degrees to the side letters are too foreshortened to be read.
    textWidth: math.min(0.9, 0.7 / halfAngle),
    u: (x, _y, z) => 0.5 + math.atan2(x, z) / (2 * halfAngle),
    v: (_x, y) => (top - y) / (top - bottom),
  };
}

/** @param variation 0..1: proportions within what looks right for the kind. */
export function productShape(kind: ProductKind, variation: number): ProductShape {
  switch (kind) {
    case 'bottle':
      return bottle(variation);
    case 'jar':
      return jar(variation);
    case 'box':
      return box(variation);
    case 'tube':
      return tube(variation);
    case 'can':
      return can(variation);
  }
}

function bottle(variation: number): ProductShape {
  const radius = 0.195 + 0.035 * variation;
  const shoulder = 0.1 + 0.05 * variation;
  return {
    height: 1,
    halfWidth: radius,
    halfDepth: radius,
    distance: (x, y, z) => {
      const rho = math.sqrt(x * x + z * z);
      const body = roundedCylinder(rho, y, 0, 0.7, radius, 0.022, shoulder);
      const neck = roundedCylinder(rho, y, 0.6, 0.765, 0.07, 0.005, 0.005);
      const collar = roundedCylinder(rho, y, 0.755, 0.79, 0.092, 0.008, 0.008);
      const cap = roundedCylinder(rho, y, 0.793, 1, 0.088, 0.006, 0.014);
      return math.min(blend(body, neck, 0.06), collar, cap);
    },
    part: (_x, y) => (y > 0.7915 ? 'closure' : y > 0.7535 ? 'metal' : 'body'),
    label: wrappedLabel(radius, 1.15, 0.08, 0.56),
  };
}

function jar(variation: number): ProductShape {
  const radius = 0.3 + 0.03 * variation;
  const shoulder = 0.35 - 0.02 * variation;
  return {
    height: 0.52,
    halfWidth: radius,
    halfDepth: radius,
    distance: (x, y, z) => {
      const rho = math.sqrt(x * x + z * z);
      const body = roundedCylinder(rho, y, 0, shoulder, radius, 0.06, 0.04);
      const ring = roundedCylinder(rho, y, shoulder - 0.02, shoulder + 0.016, radius - 0.02, 0.004, 0.004);
      const lid = roundedCylinder(rho, y, shoulder + 0.012, 0.52, radius + 0.002, 0.008, 0.022);
      return math.min(body, ring, lid);
    },
    part: (_x, y) => (y > shoulder + 0.011 ? 'closure' : y > shoulder + 0.0005 ? 'metal' : 'body'),
    label: wrappedLabel(radius, 1.1, 0.04, shoulder - 0.035),
  };
}

function can(variation: number): ProductShape {
  const radius = 0.185 + 0.02 * variation;
  const height = 0.86;
  return {
    height,
    halfWidth: radius,
    halfDepth: radius,
    distance: (x, y, z) => {
      const rho = math.sqrt(x * x + z * z);
      const body = roundedCylinder(rho, y, 0.016, height - 0.03, radius, 0.05, 0.055);
      const foot = roundedCylinder(rho, y, 0, 0.06, radius - 0.035, 0.01, 0.01);
      const rim = roundedCylinder(rho, y, height - 0.034, height, radius - 0.026, 0.005, 0.009);
      const lid = roundedCylinder(rho, y, height - 0.014, height + 0.1, radius - 0.04, 0.006, 0.006);
      return math.max(math.min(blend(body, foot, 0.015), rim), -lid);
    },
    part: (x, y, z) =>
      y > height - 0.036 || y < 0.017 || (y > height - 0.06 && x * x + z * z < (radius - 0.03) ** 2)
        ? 'metal'
        : 'body',
    label: wrappedLabel(radius, 1.15, 0.1, 0.76),
  };
}

/** A squeeze tube standing on its cap: round below, pressed flat above. */
function tube(variation: number): ProductShape {
  const top = 1;
  const capTop = 0.15;
  const radius = 0.145 + 0.015 * variation;
  const widthAt = (t: number) => radius + 0.055 * t;
  const depthAt = (t: number) => radius + (0.014 - radius) * (t * t * (3 - 2 * t));
  return {
    height: top,
    halfWidth: radius + 0.055,
    halfDepth: radius,
    distance: (x, y, z) => {
      const t = math.min(1, math.max(0, (y - capTop) / (top - 0.06 - capTop)));
      const a = widthAt(t);
      const b = depthAt(t);
      // Distance to an ellipse, to first order: k0 (k0 - 1) / k1.
      const k0 = math.sqrt((x / a) ** 2 + (z / b) ** 2);
      const k1 = math.sqrt((x / (a * a)) ** 2 + (z / (b * b)) ** 2);
      const side = k1 > 1e-6 ? (k0 * (k0 - 1)) / k1 : -b;
      const center = (top + capTop + 0.008) / 2;
      const slab = math.abs(y - center) - (top - capTop - 0.008) / 2;
      const body = math.max(side, slab);
      const cap = roundedCylinder(math.sqrt(x * x + z * z), y, 0, capTop, radius - 0.012, 0.008, 0.008);
      // The sides are not vertical, so the estimate is too long by the cosine of the slope.
      return math.min(body * 0.6, cap);
    },
    part: (_x, y) => (y < capTop + 0.004 ? 'closure' : 'body'),
    label: {
      aspect: (2 * radius) / 0.6,
      textWidth: 0.82,
      u: (x, _y, z) => (z > 0 ? 0.5 + x / (2 * (radius + 0.01)) : -1),
      v: (_x, y) => (0.85 - y) / 0.6,
    },
  };
}

function box(variation: number): ProductShape {
  const [halfX, halfZ, height] = [0.24, 0.1 + 0.03 * variation, 0.78];
  const angle = 0.5 + 0.12 * variation;
  const [cos, sin] = [math.cos(angle), math.sin(angle)];
  const rounding = 0.006;
  const localX = (x: number, z: number) => x * cos + z * sin;
  const localZ = (x: number, z: number) => z * cos - x * sin;
  return {
    height,
    halfWidth: halfX * cos + halfZ * sin,
    halfDepth: halfX * sin + halfZ * cos,
    distance: (x, y, z) => {
      const dx = math.abs(localX(x, z)) - halfX + rounding;
      const dy = math.abs(y - height / 2) - height / 2 + rounding;
      const dz = math.abs(localZ(x, z)) - halfZ + rounding;
      const outside = math.sqrt(math.max(dx, 0) ** 2 + math.max(dy, 0) ** 2 + math.max(dz, 0) ** 2);
      return math.min(math.max(dx, dy, dz), 0) + outside - rounding;
    },
    // A band of the second color around the foot, as on a carton.
    part: (_x, y) => (y < 0.075 ? 'closure' : 'body'),
    label: {
      aspect: (2 * halfX) / (height - 0.12),
      textWidth: 0.78,
      u: (x, _y, z) => (localZ(x, z) > halfZ - 0.004 ? 0.5 + localX(x, z) / (2 * halfX) : -1),
      v: (_x, y) => (height - 0.02 - y) / (height - 0.12),
    },
  };
}
