import { setImmediate as yieldToEventLoop } from 'node:timers/promises';
import { aim, type Camera, type Ray } from './camera.js';
import { type Backdrop, shadeBackdrop } from './backdrop-shading.js';
import { type ProductScene, shadeProduct } from './product-shading.js';
import { hitProduct } from './ray-march.js';
import { pixelNoise } from './seeded-random.js';
import { math } from '../math.js';

/** Linear light, row by row. The product is premultiplied by its alpha, so that layers add up without fringes. */
export interface PictureLayers {
  readonly width: number;
  readonly height: number;
  /** RGB */
  readonly backdrop: Float32Array;
  /** RGBA, premultiplied */
  readonly product: Float32Array;
}

/** Sub-samples per axis for a pixel on an edge of the product or of its print. */
const EDGE_SAMPLES = 4;
const ROWS_PER_SLICE = 16;
/** Samples of the floor per pixel: its reflection is blurred by spreading them. */
const FLOOR_SAMPLES = 4;

/**
 * Renders both layers. Work is cut into slices of rows with a turn of the event loop between them, so a server that
 * renders a scene still answers.
 */
export async function renderLayers(
  scene: ProductScene,
  backdrop: Backdrop,
  camera: Camera,
  width: number,
  height: number,
): Promise<PictureLayers> {
  const layers: PictureLayers = {
    width,
    height,
    backdrop: new Float32Array(width * height * 3),
    product: new Float32Array(width * height * 4),
  };
  const hits = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    renderRow(layers, hits, scene, camera, y);
    if (y % ROWS_PER_SLICE === 0) await yieldToEventLoop();
  }
  for (let y = 0; y < height; y++) {
    refineRow(layers, hits, scene, camera, y);
    backdropRow(layers, scene, backdrop, camera, y);
    if (y % ROWS_PER_SLICE === 0) await yieldToEventLoop();
  }
  return layers;
}

const ray: Ray = { ox: 0, oy: 0, oz: 0, dx: 0, dy: 0, dz: 0 };
const color = new Float64Array(3);

/** Aims the shared ray at a position in pixels from the top left corner. */
function aimAt({ width, height }: PictureLayers, camera: Camera, x: number, y: number): void {
  aim(ray, camera, (x / width) * 2 - 1, 1 - (y / height) * 2);
}

function renderRow(
  layers: PictureLayers,
  hits: Uint8Array,
  scene: ProductScene,
  camera: Camera,
  y: number,
): void {
  const { width, product } = layers;
  for (let x = 0; x < width; x++) {
    aimAt(layers, camera, x + 0.5, y + 0.5);
    const t = hitProduct(scene.shape, ray);
    if (t < 0) continue;
    shadeProduct(color, scene, ray, t);
    const at = y * width + x;
    hits[at] = 1;
    product.set(color, at * 4);
    product[at * 4 + 3] = 1;
  }
}

/** Second pass: only pixels that differ from a neighbor are worth more samples. */
function refineRow(
  layers: PictureLayers,
  hits: Uint8Array,
  scene: ProductScene,
  camera: Camera,
  y: number,
): void {
  const { width, height, product } = layers;
  if (y === 0 || y === height - 1) return;
  for (let x = 1; x < width - 1; x++) {
    if (!needsRefinement(layers, hits, y * width + x)) continue;
    const sum = [0, 0, 0, 0];
    for (let i = 0; i < EDGE_SAMPLES * EDGE_SAMPLES; i++) {
      const sx = x + ((i % EDGE_SAMPLES) + 0.5) / EDGE_SAMPLES;
      const sy = y + (math.floor(i / EDGE_SAMPLES) + 0.5) / EDGE_SAMPLES;
      aimAt(layers, camera, sx, sy);
      const t = hitProduct(scene.shape, ray);
      if (t < 0) continue;
      shadeProduct(color, scene, ray, t);
      // Clamped before averaging, or one sample on a lamp's reflection would leave a jagged edge.
      for (let c = 0; c < 3; c++) sum[c] = (sum[c] ?? 0) + math.min(1.6, color[c] ?? 0);
      sum[3] = (sum[3] ?? 0) + 1;
    }
    for (let c = 0; c < 4; c++) product[(y * width + x) * 4 + c] = (sum[c] ?? 0) / EDGE_SAMPLES ** 2;
  }
}

function needsRefinement({ width, product }: PictureLayers, hits: Uint8Array, at: number): boolean {
  const own = hits[at] ?? 0;
  for (const neighbor of [at - 1, at + 1, at - width, at + width]) {
    if (hits[neighbor] !== own) return true;
    if (own === 0) continue;
    for (let c = 0; c < 3; c++) {
      const [a, b] = [product[at * 4 + c] ?? 0, product[neighbor * 4 + c] ?? 0];
      if (math.abs(a - b) > 0.03 + 0.08 * math.max(a, b)) return true;
    }
  }
  return false;
}

/** Behind the product the backdrop is computed too: a part of its own, and seen through the product's soft edge. */
function backdropRow(
  layers: PictureLayers,
  scene: ProductScene,
  backdrop: Backdrop,
  camera: Camera,
  y: number,
): void {
  for (let x = 0; x < layers.width; x++) {
    const at = (y * layers.width + x) * 3;
    aimAt(layers, camera, x + 0.5, y + 0.5);
    const detailed = shadeBackdrop(color, backdrop, scene, ray, pixelNoise(x, y, 0));
    if (detailed) supersampleBackdrop(layers, scene, backdrop, camera, x, y);
    layers.backdrop.set(color, at);
  }
}

/** Leaves the mean of several samples in `color`. */
function supersampleBackdrop(
  layers: PictureLayers,
  scene: ProductScene,
  backdrop: Backdrop,
  camera: Camera,
  x: number,
  y: number,
): void {
  let [r, g, b] = [0, 0, 0];
  for (let s = 0; s < FLOOR_SAMPLES; s++) {
    aimAt(layers, camera, x + (s % 2) * 0.5 + 0.25, y + (s >> 1) * 0.5 + 0.25);
    shadeBackdrop(color, backdrop, scene, ray, (s + pixelNoise(x, y, s)) / FLOOR_SAMPLES);
    r += color[0] ?? 0;
    g += color[1] ?? 0;
    b += color[2] ?? 0;
  }
  color[0] = r / FLOOR_SAMPLES;
  color[1] = g / FLOOR_SAMPLES;
  color[2] = b / FLOOR_SAMPLES;
}
