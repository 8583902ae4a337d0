import { type ArgumentsHost } from '@nestjs/common';
import { expect, it } from '@jest/globals';
import { type Logger } from 'pino';
import { ProblemFilter } from './problem.filter.js';

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
