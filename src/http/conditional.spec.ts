import { describe, expect, it } from '@jest/globals';
import { isHeldAlready } from './conditional.js';

const TAG = `"${'a'.repeat(64)}"`;

describe('If-None-Match', () => {
  it.each([TAG, `W/${TAG}`, `"x", ${TAG}`, `"x",W/${TAG} `, '*', `${'"x",'.repeat(99)}${TAG}`])(
    '%s is held already',
    (header) => expect(isHeldAlready(header, TAG)).toBe(true),
  );

  it.each([
    undefined,
    '',
    '"x"',
    'a'.repeat(64),
    TAG.slice(1),
    TAG.toUpperCase(),
    `x${TAG}`,
    `${'"x",'.repeat(100)}${TAG}`,
  ])('%s is sent', (header) => expect(isHeldAlready(header, TAG)).toBe(false));
});
