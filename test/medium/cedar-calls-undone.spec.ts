import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from '@jest/globals';

const CEDAR = new URL('../../dist/src/licenses/adapters/cedar-module.js', import.meta.url).href;

/**
 * V8's own functions (`--allow-natives-syntax`) do at a chosen moment what it does at any: optimize the function that
 * calls Cedar, and throw the optimized code away while the call runs. A getter inside the question runs just then.
 */
const SCRIPT = `
const { loadCedar } = await import(${JSON.stringify(CEDAR)});
const cedar = loadCedar();
const ask = cedar.statefulIsAuthorized;
cedar.preparsePolicySet('set', { staticPolicies: { all: 'permit (principal, action, resource);' } });
const entity = (type) => ({ type, id: 'one' });
const question = (context) => ({
  principal: entity('Person'), action: entity('Action'), resource: entity('Work'),
  context, preparsedPolicySetId: 'set', entities: [],
});
let undone = 0;
const undoing = { get plain() { undone += 1; %DeoptimizeFunction(ask); return true; } };
%PrepareFunctionForOptimization(ask);
for (let count = 0; count < 10; count += 1) ask(question({}));
%OptimizeFunctionOnNextCall(ask);
ask(question({}));
const { response } = ask(question(undoing));
console.log(response.decision, undone);
`;

it('answers when the optimized code of its caller is thrown away during the call', async () => {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--allow-natives-syntax', '--input-type=module', '--eval', SCRIPT],
    { cwd: fileURLToPath(new URL('../..', import.meta.url)), env: { PATH: process.env.PATH } },
  );
  expect(stdout).toBe('allow 1\n');
});
