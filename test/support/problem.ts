import { expect } from '@jest/globals';
import { ERROR_CODES, type ErrorCode } from '../../src/shared/errors.js';

export interface Problem {
  readonly code: ErrorCode;
  readonly status: number;
  readonly detail: string;
  readonly howToFix: string;
  readonly requestId: string;
  readonly errors?: readonly { path: string; message: string }[];
}

/** Things that belong into the operator's log and nowhere else. */
const LEAKS = /\bSELECT\b|\bINSERT\b|node_modules|\/tmp\/|\.ts:|\.js:|at Object\.|violates|relation "|stack/i;

/** A refusal in the one form that the contract promises: problem+json, stable code, its status, nothing leaked. */
export async function expectProblem(response: Response, code: ErrorCode): Promise<Problem> {
  const text = await response.text();
  // One comparison, so that a failing test shows what the service said instead.
  expect({
    status: response.status,
    type: response.headers.get('content-type')?.split(';')[0],
    body: text,
  }).toEqual({
    status: ERROR_CODES[code].status,
    type: 'application/problem+json',
    body: expect.stringContaining(`"code":"${code}"`),
  });
  const problem = JSON.parse(text) as Problem;
  expect(problem.status).toBe(response.status);
  expect(problem.detail).not.toBe('');
  expect(problem.howToFix).not.toBe('');
  expect(problem.requestId).toMatch(/^[0-9a-f-]{36}$/);
  expect(text).not.toMatch(LEAKS);
  expect(response.headers.get('cache-control')).toBe('no-store');
  return problem;
}
