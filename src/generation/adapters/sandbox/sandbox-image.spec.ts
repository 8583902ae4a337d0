import { describe, expect, it } from '@jest/globals';
import { sharp } from '../../../assets/adapters/libvips.js';
import { renderSandboxImage, sandboxImageParameters } from './sandbox-image.js';

const card = (prompt: string, more: Record<string, unknown> = {}) =>
  sandboxImageParameters.parse({ prompt, width: 320, height: 256, ...more });

describe('sandbox image', () => {
  it('is the same for the same prompt and seed, and another one otherwise', async () => {
    const [a, same, other, seeded] = await Promise.all([
      renderSandboxImage(card('a')),
      renderSandboxImage(card('a')),
      renderSandboxImage(card('b')),
      renderSandboxImage(card('a', { seed: 1 })),
    ]);
    expect(a.bytes.equals(same.bytes)).toBe(true);
    expect(a.bytes.equals(other.bytes)).toBe(false);
    expect(a.bytes.equals(seeded.bytes)).toBe(false);
    expect(await sharp(a.bytes).metadata()).toMatchObject({
      format: 'png',
      width: 320,
      height: 256,
      hasAlpha: false,
    });
  });

  it('carries its notice in the middle at every size', async () => {
    for (const [width, height] of [
      [256, 256],
      [2048, 256],
      [256, 2048],
    ] as const) {
      const { bytes } = await renderSandboxImage(card('x', { width, height }));
      const { dominant } = await sharp(bytes)
        .extract({ left: width / 2 - 60, top: height / 2 - 30, width: 120, height: 60 })
        .stats();
      expect(dominant.r).toBeGreaterThan(220);
    }
  });
});
