import { type ArgumentsHost } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import { type Logger } from 'pino';
import { ProblemFilter, toColophonError, toProblem } from './problem.filter.js';

/** As Node reports a connection that the other side has reset, be it a caller's or the database's. */
function reset(): Error {
  return Object.assign(new Error('aborted'), { code: 'ECONNRESET' });
}

/** What an operator is told when a request fails with an error, whose connection failed with another, or the same. */
function toldOf(thrown: Error, ofConnection: Error | null): unknown[] {
  const told: unknown[] = [];
  const logger = { error: (fields: { code: string }) => told.push(fields.code) };
  const request = {
    id: 'r',
    url: '/v1/verify',
    is404: false,
    raw: { errored: ofConnection },
    routeOptions: {},
  };
  const reply = { raw: { headersSent: true, destroy: () => undefined }, request };
  const http = { getRequest: () => request, getResponse: () => reply };
  new ProblemFilter(logger as unknown as Logger).catch(thrown, {
    switchToHttp: () => http,
  } as unknown as ArgumentsHost);
  return told;
}

it('tells operators of a lost database, and not of a caller who goes away in the middle of a body', () => {
  const error = reset();
  expect(toldOf(error, error)).toEqual([]);
  expect(toldOf(error, null)).toEqual(['audit_unavailable']);
  expect(toldOf(reset(), error)).toEqual(['audit_unavailable']);
});

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
