import { expect, it } from '@jest/globals';
import { placeAddress } from './listed-inputs.js';
import { inputProblem } from './parameters.js';

it('files of a list come to the vendor as one list, in their order', () => {
  const addresses: Record<string, string | string[]> = {};
  for (const name of ['image_urls__1', 'mask_url', 'image_urls__2'])
    placeAddress(addresses, name, `https://x.example/${name}`);
  expect(addresses).toEqual({
    image_urls: ['https://x.example/image_urls__1', 'https://x.example/image_urls__2'],
    mask_url: 'https://x.example/mask_url',
  });
});

it('a list is not a parameter, or a file of the same name, as well', () => {
  const problem = (parameters: object, names: string[]) =>
    inputProblem(
      parameters as Record<string, unknown>,
      Object.fromEntries(names.map((name) => [name, { kind: 'image' as const }])),
      ['image'],
    );
  expect(problem({ image_urls: 'x' }, ['image_urls__1'])).toContain('given twice');
  expect(problem({}, ['image_urls', 'image_urls__1'])).toContain('given twice');
  expect(problem({}, ['image_urls__1', 'image_urls__2'])).toBeUndefined();
});
