import { describe, expect, it } from '@jest/globals';
import { imageNameProblem, parameterProblem } from './fal-input.js';

describe('parameterProblem', () => {
  it('accepts literal parameters of any JSON type', () => {
    const parameters = {
      prompt: 'https://a.example is what the sign says',
      seed: 1,
      safe: true,
      size: { width: 5 },
      tags: ['a'],
      none: null,
    };
    expect(parameterProblem(parameters)).toBeUndefined();
  });

  it.each([
    ['an unrecorded picture', { image_url: 'https://example.com/a.png' }],
    ['one in a list', { image_urls: ['data:image/png;base64,AAAA'] }],
    ['an uncleared LoRA', { loras: [{ path: 'https://example.com/style.safetensors', scale: 1 }] }],
    ['another scheme', { mask: ' S3://bucket/key' }],
  ])('refuses %s, because fal would fetch it past clearance and record', (_name, parameters) => {
    expect(parameterProblem(parameters)).toContain('holds an address');
  });

  it.each([
    ['not a number', { seed: Number.NaN }],
    ['no JSON value', { seed: 1n }],
    ['a function', { f: () => 1 }],
    ['too large', { prompt: 'x'.repeat(300_000) }],
  ])('refuses %s', (_name, parameters) => {
    expect(parameterProblem(parameters)).toBeDefined();
  });

  it('refuses deep nesting instead of following it', () => {
    const cyclic: Record<string, unknown> = {};
    cyclic['self'] = cyclic;
    expect(parameterProblem(cyclic)).toBe('the parameters are nested too deeply');
  });
});

describe('imageNameProblem', () => {
  it('accepts plain names and refuses odd, doubled and too many ones', () => {
    expect(imageNameProblem({ prompt: 'x' }, { image_url: 1, mask_url: 1 })).toBeUndefined();
    expect(imageNameProblem({}, { '../x': 1 })).toBeDefined();
    expect(imageNameProblem({ image_url: 1 }, { image_url: 1 })).toContain('given twice');
    const many = Object.fromEntries(Array.from({ length: 17 }, (_unused, index) => [`image_${index}`, 1]));
    expect(imageNameProblem({}, many)).toContain('more than 16');
  });
});
