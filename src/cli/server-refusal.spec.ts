import { describe, expect, it } from '@jest/globals';
import { Unusable } from './exit-code.js';
import { errorText, refusalOf } from './server-refusal.js';

describe('what a server refuses', () => {
  it('is a sentence with what to do, and no JSON', async () => {
    const problem = {
      code: 'invalid_api_key',
      detail: 'The key is not known.',
      howToFix: 'Ask an admin.',
      findings: [],
    };
    const refusal = await refusalOf(Response.json(problem, { status: 401 }));
    expect(errorText(refusal)).toBe(
      'the server refused (401 invalid_api_key): The key is not known.\nAsk an admin.',
    );
  });

  it('is shown in one safe line when it is something else', async () => {
    const refusal = await refusalOf(new Response('<h1>\u001b[2J\nno</h1>', { status: 502 }));
    expect(errorText(refusal)).toBe('the server refused (502): <h1>\ufffd[2J\ufffdno</h1>');
    const lines = { detail: 'one\ntwo' };
    expect(errorText(await refusalOf(Response.json(lines, { status: 400 })))).toBe(
      'the server refused (400): one\ufffdtwo',
    );
  });
});

describe('an error of a command', () => {
  it('keeps the lines of the usage', () => {
    expect(errorText(new Unusable('name the server\n\nUsage: colophon'))).toBe(
      'name the server\n\nUsage: colophon',
    );
  });

  it('of something else is one line', () => {
    expect(errorText(new Error('fetch\nfailed'))).toBe('fetch\ufffdfailed');
    expect(errorText('x')).toBe('failed');
  });
});
