import { describe, expect, it } from '@jest/globals';
import { filesOfLog } from './log-files.js';
import { bundlesForGrowth, tilePath, tilesForGrowth } from './tiles.js';

const paths = (size: number, from?: number): string[] => [...filesOfLog(size, from)].map(tilePath);

describe('the files of a log', () => {
  it('are what a writer makes that publishes it at once', () => {
    for (const size of [0, 1, 2, 255, 256, 257, 512, 65_535, 65_536, 65_537, 70_000, 131_072]) {
      const written = [...bundlesForGrowth(0, size), ...tilesForGrowth(0, size)].map(tilePath);
      expect(paths(size).sort()).toEqual(written.sort());
    }
  });

  it('beyond a smaller log are what a copy of that lacks', () => {
    for (const [from, size] of [
      [0, 1],
      [1, 255],
      [255, 256],
      [256, 256],
      [256, 257],
      [300, 66_000],
      [65_536, 65_536],
      [65_536, 65_537],
      [65_535, 65_536],
    ] as const) {
      const held = new Set(paths(from));
      expect(paths(size, from).sort()).toEqual(
        paths(size)
          .filter((path) => !held.has(path))
          .sort(),
      );
    }
  });

  it('are listed lazily, whatever the size', () => {
    const files = filesOfLog(2 ** 52);
    expect(tilePath(files.next().value as never)).toBe('tile/entries/000');
  });
});
