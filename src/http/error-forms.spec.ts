import { describe, expect, it } from '@jest/globals';
import { errorFormOf } from './error-forms.js';
import { type Problem } from './problem.filter.js';

function falBody(path: string): unknown {
  const problem = {
    type: 'about:blank',
    title: 'x',
    status: 422,
    code: 'gateway_unsupported',
    detail: 'it is refused',
    howToFix: 'Leave it out.',
    errors: [{ path, message: 'is not taken' }],
  };
  return errorFormOf('/gateway/fal/p/x/y/run/a/b')?.form(problem as unknown as Problem).body;
}

describe('errors in the form of fal', () => {
  it.each([
    ['', ['body']],
    ['prompt', ['body', 'prompt']],
    ['image.url', ['body', 'image', 'url']],
    ['elements.1.refs.0', ['body', 'elements', 1, 'refs', 0]],
  ])('name the place %j piece by piece', (path, loc) => {
    expect(falBody(path)).toMatchObject({
      detail: [{ loc, msg: 'is not taken', type: 'gateway_unsupported' }],
    });
  });
});
