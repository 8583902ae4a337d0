import { sharp } from '../../assets/adapters/libvips.js';

/** Longer side in pixels: enough to see where, and small beside the files themselves. */
const MAX_SIDE = 1024;

/**
 * Black, and white where two versions differ. Smaller than the versions where they are large: a cell is white when any
 * pixel in it differs, so that no change is lost in scaling.
 */
export class DifferencePicture {
  private readonly scale: number;
  private readonly width: number;
  private readonly height: number;
  private readonly cells: Uint8Array;

  constructor(width: number, height: number) {
    this.scale = Math.ceil(Math.max(width, height) / MAX_SIDE);
    this.width = Math.ceil(width / this.scale);
    this.height = Math.ceil(height / this.scale);
    this.cells = new Uint8Array(this.width * this.height);
  }

  mark(x: number, y: number): void {
    this.cells[Math.floor(y / this.scale) * this.width + Math.floor(x / this.scale)] = 255;
  }

  /** The same differences give the same bytes with the same release of libvips. */
  async png(): Promise<Buffer> {
    const raw = { width: this.width, height: this.height, channels: 1 } as const;
    return sharp(this.cells, { raw }).toColorspace('b-w').png({ compressionLevel: 9 }).toBuffer();
  }
}

/** @returns `undefined` where the two are of different sizes */
export async function sharedChange(differencePath: string, other: Buffer): Promise<number | undefined> {
  const [one, two] = [await cellsOf(differencePath), await cellsOf(other)];
  if (one.info.width !== two.info.width || one.info.height !== two.info.height) return undefined;
  const shared = one.data.reduce(
    (count, cell, i) => (cell > 0 && (two.data[i] ?? 0) > 0 ? count + 1 : count),
    0,
  );
  return shared / one.data.length;
}

function cellsOf(picture: string | Buffer) {
  return sharp(picture).toColourspace('b-w').extractChannel(0).raw().toBuffer({ resolveWithObject: true });
}
