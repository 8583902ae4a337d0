import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isFalEndpointId, isFalRequestId, isJobAddressOf } from './fal-endpoint.js';

describe('isFalEndpointId', () => {
  it.each([
    'fal-ai/flux/schnell',
    'fal-ai/flux-pro/v1.1-ultra',
    'bria/text-to-image/3.2',
    'fal-ai/wan/v2.2-a14b/text-to-video',
    '1234/my_app',
  ])('accepts %s', (id) => expect(isFalEndpointId(id)).toBe(true));

  it.each([
    '',
    'flux',
    '/fal-ai/flux',
    'fal-ai/flux/',
    'fal-ai//flux',
    'fal-ai/../tokens',
    'fal-ai/..',
    'fal-ai/flux/v1..1',
    'fal-ai/.hidden',
    'fal-ai/flux?fal_webhook=https://evil.example',
    'fal-ai/flux#x',
    'fal-ai/flux%2f..',
    'fal-ai/flux\\dev',
    'fal-ai/flux dev',
    'fal-ai/flux\n',
    'https://fal.run/fal-ai/flux',
    'https:/evil.example.fal.run/x',
    'fal-ai/flux/requests/123/cancel',
    'workflows/owner/name',
    'comfy/owner/name',
    `fal-ai/${'a'.repeat(65)}`,
    'a/b/c/d/e/f/g',
  ])('refuses %j', (id) => expect(isFalEndpointId(id)).toBe(false));

  it('accepts nothing that a URL would change', () => {
    const part = fc.constantFrom(
      'fal-ai',
      'flux',
      'v1.1',
      '.',
      '..',
      '%2e',
      '%2f',
      '?x=1',
      '#x',
      '@',
      ':',
      '\\',
      '',
      'A_b',
    );
    const id = fc.array(fc.array(part, { minLength: 1, maxLength: 2 }), { minLength: 2, maxLength: 4 });
    fc.assert(
      fc.property(id, (segments) => {
        const text = segments.map((parts) => parts.join('')).join('/');
        const { pathname, search, hash } = new URL(`https://queue.fal.run/${text}`);
        const unchanged = pathname === `/${text}` && search === '' && hash === '';
        expect(isFalEndpointId(text) && !unchanged).toBe(false);
      }),
      { numRuns: 500 },
    );
  });
});

it('isFalRequestId refuses everything that could leave its path segment', () => {
  expect(isFalRequestId('764cabcf-b745-4b3e-ae38-1200304cf45b')).toBe(true);
  expect(
    ['', '..', '../x', 'a/b', 'a?b', 'a#b', 'a%2fb', '-a', 'a\n', 'a'.repeat(129)].filter(isFalRequestId),
  ).toEqual([]);
});

it('isJobAddressOf recognizes the address of a job with and without the sub-path', () => {
  const endpoint = 'fal-ai/flux/dev';
  expect(isJobAddressOf(endpoint, 'https://queue.fal.run/fal-ai/flux/requests/1')).toBe(true);
  expect(isJobAddressOf(endpoint, 'https://queue.fal.run/fal-ai/flux/dev/requests/1/response')).toBe(true);
  expect(isJobAddressOf(endpoint, 'http://127.0.0.1:1/queue/fal-ai/flux/requests/1')).toBe(true);
  expect(isJobAddressOf(endpoint, 'https://queue.fal.run/fal-ai/flux/schnell/requests/1')).toBe(false);
  expect(isJobAddressOf(endpoint, 'https://queue.fal.run/fal-ai/fluxx/requests/1')).toBe(false);
  expect(isJobAddressOf(endpoint, 'https://queue.fal.run/notfal-ai/flux/requests/1')).toBe(false);
  expect(isJobAddressOf(endpoint, 'nonsense')).toBe(false);
});
