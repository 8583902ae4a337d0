import { ColophonError } from '../../../shared/errors.js';

/** width x height x frames. 100 megapixels decode to 400 MB; camera backs of 2026 make about as much. */
export const MAX_PIXELS_TOTAL = 100_000_000;
/** Rendering libraries that viewers use (cairo among them) address at most this many pixels along one side. */
export const MAX_SIDE_PIXELS = 32_767;
/** An animation of 1 x 1 pixel with 100,000 frames is small in pixels and still work without end for viewers. */
export const MAX_FRAMES = 1_000;

export interface PictureSize {
  readonly width: number;
  readonly height: number;
  readonly frames: number;
}

/** @throws ColophonError `media_corrupt` for empty dimensions, `media_too_large` beyond a limit */
export function assertWithinLimits({ width, height, frames }: PictureSize): void {
  if (!(width > 0 && height > 0 && frames > 0)) {
    throw new ColophonError('media_corrupt', 'The header of the picture says that it has no pixels.');
  }
  if (frames > MAX_FRAMES) {
    throw new ColophonError('media_too_large', `An animation may have at most ${count(MAX_FRAMES)} frames.`);
  }
  if (width > MAX_SIDE_PIXELS || height > MAX_SIDE_PIXELS) {
    throw new ColophonError(
      'media_too_large',
      `A picture may be at most ${count(MAX_SIDE_PIXELS)} pixels wide and high; this one is ${count(width)} x ${count(height)}.`,
    );
  }
  if (width * height * frames > MAX_PIXELS_TOTAL) {
    throw new ColophonError(
      'media_too_large',
      `A picture may have at most ${count(MAX_PIXELS_TOTAL)} pixels over all frames; this one has ${count(width * height * frames)}.`,
    );
  }
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}
