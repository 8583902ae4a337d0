import { describe, expect, it } from '@jest/globals';
import { POLICY_SCHEMA } from '../domain/policies/policy-schema.js';
import { checkShape } from '../domain/policies/policy-text.js';
import { readPolicies } from '../domain/policies/read-policies.js';
import { parse, policy } from '../testing/policy-workshop.js';
import { CedarReader } from './cedar-reader.js';

const ALL = '(principal, action, resource)';
const GOOD = policy('p', ALL);
/** Of the shape of a policy, and nothing but errors: Cedar's parser goes on after each of them. */
const SLOW = `forbid (principal, action in [${'ip("1") {a:1},'.repeat(4000)}], resource);`;

describe('a text that is read beside the event loop', () => {
  it('comes back with its policies, or with the problems that the engine has with it', async () => {
    const reader = new CedarReader(4);
    expect(await reader.read(GOOD, POLICY_SCHEMA, 'a')).toEqual(parse(GOOD));
    const wrong = policy('p', `${ALL} when { resource.nope }`);
    expect(await reader.read(wrong, POLICY_SCHEMA, 'a')).toEqual(parse(wrong));
    expect(await readPolicies(wrong, reader, 'a')).toMatchObject({ problems: [{ line: 2 }] });
    expect(await readPolicies(GOOD, reader, 'a')).toMatchObject({ policies: [{ id: 'p' }] });
  });

  it('is given up when it takes too long, and the next one is read', async () => {
    expect(checkShape(SLOW)).toBeUndefined();
    const { problems } = await new CedarReader(1, 1).read(SLOW, POLICY_SCHEMA, 'a');
    expect(problems[0]?.message).toMatch(/^takes longer/);
    expect((await new CedarReader(1).read(GOOD, POLICY_SCHEMA, 'a')).problems).toEqual([]);
  });

  it('that ends its thread is refused, and the next one is read', async () => {
    const reader = new CedarReader(1);
    const deep = policy('p', `${ALL} when { ${'['.repeat(5000)}1${']'.repeat(5000)} == 1 }`);
    expect((await reader.read(deep, POLICY_SCHEMA, 'a')).problems).toMatchObject([
      { message: expect.stringContaining('cannot be read') },
    ]);
    expect((await reader.read(GOOD, POLICY_SCHEMA, 'a')).problems).toEqual([]);
  });
});
