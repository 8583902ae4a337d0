import { describe, expect, it } from '@jest/globals';
import { requestedRange } from './byte-range.js';

const TAG = '"abc"';
const range = (header: string | undefined, ifRange?: string) =>
  requestedRange({ range: header, ifRange }, TAG, 1000);

describe('a range of bytes', () => {
  it.each([
    ['bytes=0-99', { first: 0, last: 99 }],
    ['bytes=0-0', { first: 0, last: 0 }],
    ['bytes=900-', { first: 900, last: 999 }],
    ['bytes=-100', { first: 900, last: 999 }],
    ['bytes=-5000', { first: 0, last: 999 }],
    ['bytes=999-5000', { first: 999, last: 999 }],
    ['bytes= 0 - 9', { first: 0, last: 9 }],
  ])('%s', (header, expected) => {
    expect(range(header)).toEqual(expected);
  });

  it.each([
    undefined,
    '',
    'bytes=',
    'bytes=-',
    'bytes=9-5',
    'bytes=0-1,5-6',
    'items=0-9',
    'bytes=a-b',
    'bytes=1e3-',
  ])('%s: all of it', (header) => {
    expect(range(header)).toBeUndefined();
  });

  it.each(['bytes=1000-', 'bytes=5000-6000', 'bytes=-0'])('%s: none of it is there', (header) => {
    expect(() => range(header)).toThrow('1000 bytes');
  });

  it('of another version of the file is all of this one', () => {
    expect(range('bytes=0-9', '"other"')).toBeUndefined();
    expect(range('bytes=0-9', 'W/"abc"')).toBeUndefined();
    expect(range('bytes=0-9', TAG)).toEqual({ first: 0, last: 9 });
  });
});
