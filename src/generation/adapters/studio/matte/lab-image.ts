import { LINEAR_OF_BYTE, writeOklab } from '../color.js';

/** OKLab, three floats per pixel. */
export interface LabImage {
  readonly width: number;
  readonly height: number;
  readonly lab: Float32Array;
}

export function labFromRgb(data: Uint8Array, width: number, height: number, channels: 3 | 4): LabImage {
  const lab = new Float32Array(width * height * 3);
  for (let at = 0; at < width * height; at++) {
    const i = at * channels;
    writeOklab(
      lab,
      at * 3,
      LINEAR_OF_BYTE[data[i] ?? 0] ?? 0,
      LINEAR_OF_BYTE[data[i + 1] ?? 0] ?? 0,
      LINEAR_OF_BYTE[data[i + 2] ?? 0] ?? 0,
    );
  }
  return { width, height, lab };
}
