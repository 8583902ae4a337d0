import { describe, expect, it } from '@jest/globals';
import { POLICY_SCHEMA } from '../domain/policies/policy-schema.js';
import { checkShape } from '../domain/policies/policy-text.js';
import { readNewPolicies } from '../domain/policies/read-policies.js';
import { engine, policy } from '../testing/policy-workshop.js';
import { CedarTrial } from './cedar-trial.js';

const ALL = '(principal, action, resource)';
const GOOD = policy('p', ALL);
/** Of the shape of a policy, and nothing but errors: Cedar's parser goes on after each of them. */
const SLOW = `forbid (principal, action in [${'ip("1") {a:1},'.repeat(4000)}], resource);`;

describe('a text that nobody has read before', () => {
  it('has the problems that the engine has with it', async () => {
    const trial = new CedarTrial();
    expect(await trial.problems(GOOD, POLICY_SCHEMA)).toEqual([]);
    const wrong = policy('p', `${ALL} when { resource.nope }`);
    expect(await trial.problems(wrong, POLICY_SCHEMA)).toEqual(engine.parse(wrong, POLICY_SCHEMA).problems);
    expect(await readNewPolicies(wrong, engine, trial)).toMatchObject({ problems: [{ line: 2 }] });
    expect(await readNewPolicies(GOOD, engine, trial)).toMatchObject({ policies: [{ id: 'p' }] });
  });

  it('is given up when it takes too long, and the next one is read', async () => {
    expect(checkShape(SLOW)).toBeUndefined();
    const trial = new CedarTrial(1);
    const [problem] = await trial.problems(SLOW, POLICY_SCHEMA);
    expect(problem?.message).toMatch(/^takes longer/);
    expect(await new CedarTrial().problems(GOOD, POLICY_SCHEMA)).toEqual([]);
  });

  it('that ends its thread is refused, and the next one is read', async () => {
    const trial = new CedarTrial();
    const deep = policy('p', `${ALL} when { ${'['.repeat(5000)}1${']'.repeat(5000)} == 1 }`);
    expect(await trial.problems(deep, POLICY_SCHEMA)).toMatchObject([
      { message: expect.stringContaining('cannot be read') },
    ]);
    expect(await trial.problems(GOOD, POLICY_SCHEMA)).toEqual([]);
  });

  it('waits for its turn among few, and is sent away when there are many', async () => {
    const trial = new CedarTrial();
    const answers = await Promise.allSettled(
      Array.from({ length: 10 }, () => trial.problems(GOOD, POLICY_SCHEMA)),
    );
    expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(8);
    const refused = answers.filter(({ status }) => status === 'rejected');
    expect(refused).toMatchObject([{ reason: { code: 'conflict' } }, { reason: { code: 'conflict' } }]);
  });
});
