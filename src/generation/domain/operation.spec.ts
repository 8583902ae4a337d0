import { describe, expect, it } from '@jest/globals';
import { mainImageOf } from './operation.js';

describe('the picture that a step changes', () => {
  it.each([
    ['edit', ['image', 'mask'], 'image'],
    ['edit', ['mask_url', 'image_url'], 'image_url'],
    ['edit', ['image_urls__1', 'image_urls__2'], 'image_urls__1'],
    ['upscale', ['input_image'], 'input_image'],
    ['edit', ['image_2', 'mask'], undefined],
    ['generate', ['image_url'], undefined],
    ['generate', ['image'], 'image'],
    ['animate', ['image'], undefined],
    ['edit', [], undefined],
  ] as const)('of %s with %j is %s', (operation, names, main) => {
    expect(mainImageOf(operation, names)).toBe(main);
  });
});
