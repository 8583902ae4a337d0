import { expect, it } from '@jest/globals';
import { toInputs } from './run-inputs.js';
import { type StartRunBody, startRunSchema } from './run.schemas.js';

const bodyWith = (variations: unknown): StartRunBody =>
  startRunSchema.parse({
    projectId: `prj_${'0'.repeat(32)}`,
    useCase: 'hero-image',
    pipeline: 'ad-variations',
    inputs: { variations },
    facts: { purpose: 'commercial', audienceCountries: ['US'], organizationRevenueUsd: 5_000_000 },
  });

it('a list that is longer than a run may be is read, so that its refusal names the limit', () => {
  const items = Array.from({ length: 501 }, () => ({ prompt: 'x' }));
  expect(toInputs(bodyWith(items)).lists?.variations).toHaveLength(501);
});

it('combinations are counted before they are made', () => {
  const values = Array.from({ length: 1_000 }, (_unused, index) => `${index}`);
  const combine = Object.fromEntries(['a', 'b', 'c', 'd', 'e'].map((name) => [name, values]));
  expect(() => toInputs(bodyWith({ combine }))).toThrow(
    expect.objectContaining({ code: 'pipeline_too_large' }),
  );
  expect(toInputs(bodyWith({ combine: { a: ['1', '2'], b: ['3', '4'] } })).lists?.variations).toHaveLength(4);
});
