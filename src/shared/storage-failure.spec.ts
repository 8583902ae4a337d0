import { describe, expect, it } from '@jest/globals';
import { ColophonError } from './errors.js';
import { storageFailure } from './storage-failure.js';

const systemError = (code: string) => Object.assign(new Error(`${code}: write /data/x`), { code });

describe('a disk that takes nothing', () => {
  it.each(['ENOSPC', 'EDQUOT', 'EROFS'])('is storage_unavailable for callers, without a path: %s', (code) => {
    const failure = storageFailure(systemError(code));
    expect([failure?.code, failure?.status]).toEqual(['storage_unavailable', 503]);
    expect(failure?.message).not.toContain('/data');
  });

  it('is found behind another error', () => {
    const wrapped = new Error('could not be received', { cause: systemError('ENOSPC') });
    expect(storageFailure(wrapped)?.cause).toBe(wrapped);
  });

  it('is nothing else', () => {
    const loop: { cause?: unknown } = {};
    loop.cause = loop;
    for (const other of [systemError('ENOENT'), new ColophonError('internal', 'x'), loop, null, 'ENOSPC'])
      expect(storageFailure(other)).toBeUndefined();
  });
});
