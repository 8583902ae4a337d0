import { describe, expect, it } from '@jest/globals';
import { sharp } from '../../../assets/adapters/libvips.js';
import { SharpMediaProbe } from '../../../assets/adapters/sharp-media-probe.js';
import {
  renderSandboxImage,
  sandboxGarbage,
  sandboxImageParameters,
  sandboxOutcome,
  truncatedSandboxImage,
} from './sandbox-image.js';

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

  it('fails as the prompt asks', () => {
    expect(sandboxOutcome('a red bottle')).toBe('image');
    expect(sandboxOutcome('please sandbox:fail-upstream now')).toBe('fail-upstream');
    expect(sandboxOutcome('sandbox:timeout')).toBe('timeout');
    expect(sandboxOutcome('sandbox:garbage')).toBe('garbage');
    expect(sandboxOutcome('sandbox:truncated')).toBe('truncated');
    expect(sandboxOutcome('sandbox:unheard-of')).toBe('image');
  });

  it('makes failures that the media probe finds', async () => {
    const probe = new SharpMediaProbe();
    await expect(probe.probe({ bytes: sandboxGarbage('x') })).rejects.toMatchObject({
      code: 'unsupported_media',
    });
    await expect(probe.probe({ bytes: await truncatedSandboxImage(card('x')) })).rejects.toMatchObject({
      code: 'media_corrupt',
    });
  });
});
