import { describe, expect, it } from '@jest/globals';
import { counted } from './counted.js';

describe('a number with its noun', () => {
  it('has the singular for one alone', () => {
    expect([0, 1, 2, 12_345].map((number) => counted(number, 'file'))).toEqual([
      '0 files',
      '1 file',
      '2 files',
      '12,345 files',
    ]);
    expect([1, 2].map((number) => counted(number, 'entry', 'entries'))).toEqual(['1 entry', '2 entries']);
  });
});
