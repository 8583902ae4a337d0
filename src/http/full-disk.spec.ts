import { describe, expect, it } from '@jest/globals';
import { toColophonError, toProblem } from './problem.filter.js';

describe('an error of the operating system', () => {
  it('is 503 with what to do when a disk takes nothing, and names no path', () => {
    const full = Object.assign(new Error("ENOSPC: no space left on device, write '/data/assets/x'"), {
      code: 'ENOSPC',
    });
    const problem = toProblem(toColophonError(full), 'request');
    expect(problem).toMatchObject({ status: 503, code: 'storage_unavailable' });
    expect(problem.detail).toContain('Send the request again when the operator has made room');
    expect(JSON.stringify(problem)).not.toContain('/data');
  });

  it('is 500 otherwise', () => {
    expect(toColophonError(new Error('x')).code).toBe('internal');
  });
});
